using Orders.Testing;
using Orders.Testing.Servers;

namespace Orders.Samples.Tests;

/// <summary>The sample's one process dies again and again in the middle of its work.</summary>
public sealed class ParcelsKilledTests
{
    private const int Kills = 20;
    private const int Each = 40;

    [Test, Category("Long")]
    public async Task No_parcel_is_lost_and_nothing_comes_twice()
    {
        await using var installation = await ParcelsInstallation.DeployAsync();
        await using var host = SupervisedHost.StartDll(ParcelsInstallation.Dll, installation.Settings);
        var parcels = new List<Guid>();
        for (var round = 1; round <= Kills; round++)
        {
            await host.UntilReadyAsync();
            for (var n = 0; n < Each; n++)
                parcels.Add(await installation.PostAsync(host.Address!));
            // In the middle of the work of this round, each time a little further.
            var events = await EventsAsync();
            await Eventually.That(
                EventsAsync,
                Is.GreaterThan(events + round),
                "events of parcels",
                TimeSpan.FromMinutes(2)
            );
            host.Kill();
            await Eventually.That(() => host.Exits, Has.Count.EqualTo(round), "processes that have ended");
        }

        await installation.UntilCompleteAsync(parcels);

        Task<long> EventsAsync() => installation.Database.CountAsync("\"Tracking\"");
    }
}
