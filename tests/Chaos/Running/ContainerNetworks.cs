using System.Collections.Concurrent;

namespace Orders.Chaos.Running;

/// <summary>Takes containers off all their networks, and puts them back.</summary>
internal sealed class ContainerNetworks
{
    // Of those that were taken off: the engine forgets which networks they were on.
    private readonly ConcurrentDictionary<string, IReadOnlySet<string>> _networks = new();

    /// <summary>Takes a container off; connections of it are half open on both sides.</summary>
    /// <param name="container">Its name.</param>
    public async Task DisconnectAsync(string container)
    {
        var networks = await OfAsync(container);
        _networks[container] = networks;
        foreach (var network in networks)
            await Docker.RunAsync("network", "disconnect", network, container);
    }

    /// <summary>Puts a container back on what it was taken off.</summary>
    /// <param name="service">Its service, by whose name others find it.</param>
    /// <param name="container">Its name.</param>
    public async Task ConnectAsync(string service, string container)
    {
        if (!_networks.TryGetValue(container, out var before))
            return;
        foreach (var network in before.Except(await OfAsync(container)))
            await Docker.RunAsync("network", "connect", "--alias", service, network, container);
    }

    private static async Task<IReadOnlySet<string>> OfAsync(string container) =>
        (
            await Docker.RunAsync(
                "inspect",
                "--format",
                "{{range $name, $_ := .NetworkSettings.Networks}}{{println $name}}{{end}}",
                container
            )
        )
            .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .ToHashSet();
}
