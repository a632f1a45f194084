namespace Orders.Infrastructure.Tests.Deployment;

/// <summary>
/// Two installations on one broker are deployed at the same moment: their processes' users have the same names.
/// </summary>
public sealed class BrokerUserRaceTests : SystemFixture
{
    [Test]
    public Task A_user_that_another_deployment_creates_at_the_same_moment_is_no_fault() =>
        Task.WhenAll(
            Enumerable
                .Range(0, 20)
                .Select(_ => $"race-{Guid.NewGuid():N}")
                .SelectMany(name => Enumerable.Repeat(name, 10))
                .Select(name =>
                    TestSystem.Broker.Management.PutUserAsync(name, "of-no-use-anywhere", "", CancellationToken.None)
                )
        );
}
