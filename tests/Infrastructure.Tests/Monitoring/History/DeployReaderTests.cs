using QueueWorkers.Monitoring.History;

namespace Orders.Infrastructure.Tests.Monitoring.History;

/// <summary>When builds came into use.</summary>
public sealed class DeployReaderTests : SystemFixture
{
    private static readonly DateTimeOffset Now = new(2026, 3, 4, 14, 0, 0, TimeSpan.Zero);

    [Test]
    public async Task The_steps_of_a_deployment_are_one_mark_and_a_step_that_follows_later_is_another()
    {
        foreach (
            var (step, build, ago) in ((string, string, TimeSpan)[])
                [
                    ("email", "2.0", TimeSpan.FromMinutes(50)),
                    ("invoice", "2.0", TimeSpan.FromMinutes(48)),
                    ("warehouse", "2.0", TimeSpan.FromMinutes(5)),
                    ("email", "1.0", TimeSpan.FromHours(30)),
                    ("email", "2.1", TimeSpan.FromMinutes(20)),
                ]
        )
        {
            await TestSystem.Database.ExecuteAsync(
                "insert into step_builds (step, build, first_seen_at) values ($1, $2, $3)",
                step,
                build,
                Now - ago
            );
        }

        var reader = new DeployReader(TestSystem.Database.Source);
        Assert.That(
            (await reader.ReadAsync(TimeSpan.FromHours(6), null, Now, default)).Select(m =>
                (m.Build, string.Join(' ', m.Steps), Now - m.At)
            ),
            Is.EqualTo(
                new[]
                {
                    ("2.0", "email invoice", TimeSpan.FromMinutes(50)),
                    ("2.1", "email", TimeSpan.FromMinutes(20)),
                    ("2.0", "warehouse", TimeSpan.FromMinutes(5)),
                }
            )
        );
        Assert.That(
            string.Join(
                ' ',
                (await reader.ReadAsync(TimeSpan.FromDays(2), "email", Now, default)).Select(m => m.Build)
            ),
            Is.EqualTo("1.0 2.0 2.1"),
            "of one step"
        );
    }
}
