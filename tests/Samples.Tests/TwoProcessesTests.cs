using Orders.Testing;
using Orders.Testing.Servers;

namespace Orders.Samples.Tests;

/// <summary>The one program of the sample as two processes: the API alone, and the steps.</summary>
public sealed class TwoProcessesTests
{
    [Test, Category("Long")]
    public async Task Parcels_wait_in_the_queue_until_a_process_with_steps_is_there()
    {
        await using var installation = await ParcelsInstallation.DeployAsync();
        await using var api = await StartAsync(installation, "none");
        var parcel = await installation.PostAsync(api.Address!);
        await Eventually.That(() => installation.Broker.CountAsync("label"), Is.EqualTo(1u), "waiting messages");

        await using var workers = await StartAsync(installation, "*");
        await installation.UntilCompleteAsync([parcel]);
    }

    private static Task<SupervisedHost> StartAsync(ParcelsInstallation installation, string steps) =>
        SupervisedHost
            .StartDll(
                ParcelsInstallation.Dll,
                new Dictionary<string, string?>(installation.Settings) { ["Workers:Steps"] = steps }
            )
            .UntilReadyAsync();
}
