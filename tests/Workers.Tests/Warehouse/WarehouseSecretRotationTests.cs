using Microsoft.Extensions.DependencyInjection;
using Orders.OutsideWorld;
using Orders.Workers.Warehouse;

namespace Orders.Workers.Tests.Warehouse;

/// <summary>
/// The secret that signs pick lists is changed under traffic: calls carry a signature of both, so that the warehouse
/// may change over at any moment and refuses none.
/// </summary>
public sealed class WarehouseSecretRotationTests
{
    private const int Calls = 20;
    private const string Old = Settings.WarehouseSecret;
    private static readonly string New =
        "whsec_" + Convert.ToBase64String([.. Enumerable.Range(7, 32).Select(n => (byte)n)]);

    [Test]
    public async Task Both_secrets_are_valid_while_one_replaces_the_other()
    {
        await using var before = await OutsideWorldHost.StartAsync(o => o.WarehouseSecret = Old);
        await using var after = await OutsideWorldHost.StartAsync(o => o.WarehouseSecret = New);
        await using var toOld = Client(before, New, Old);
        await using var toNew = Client(after, New, Old);
        for (var call = 0; call < Calls; call++)
        {
            await PostAsync(toOld);
            await PostAsync(toNew);
        }

        Assert.That(
            before.Warehouse.Calls.Count(c => c.IsAccepted),
            Is.EqualTo(Calls),
            "before the warehouse changed over"
        );
        Assert.That(after.Warehouse.Calls.Count(c => c.IsAccepted), Is.EqualTo(Calls), "after it");
    }

    [Test]
    public async Task Without_the_secret_of_before_a_warehouse_that_has_only_that_one_refuses()
    {
        await using var before = await OutsideWorldHost.StartAsync(o => o.WarehouseSecret = Old);
        await using var client = Client(before, New, "");
        Assert.That(() => PostAsync(client), Throws.Exception.With.Message.Contains("401"));
    }

    private static ServiceProvider Client(RunningWorld world, string secret, string previous) =>
        new ServiceCollection()
            .AddWarehouse(
                Settings.Of(
                    ("Warehouse:Url", new Uri(world.BaseUri, "warehouse").ToString()),
                    ("Warehouse:Secret", secret),
                    ("Warehouse:PreviousSecret", previous)
                )
            )
            .BuildServiceProvider();

    private static Task PostAsync(ServiceProvider client) =>
        client
            .GetRequiredService<WarehouseClient>()
            .PostAsync(Guid.NewGuid(), PickList.Of(SampleDetails.Of()), CancellationToken.None);
}
