using System.Globalization;
using Orders.Chaos.Planning;

namespace Orders.Chaos.Running;

/// <summary>
/// How far the clock of each worker is off, in seconds, one file a service: read by deploy/chaos/clock.c when the
/// worker starts.
/// </summary>
/// <param name="folder">The directory of the files, which is a volume of the workers.</param>
public sealed class WorkerClocks(string folder)
{
    /// <summary>Sets the clock that a service has from its next start on.</summary>
    public void Set(string service, TimeSpan off) =>
        File.WriteAllText(Path.Combine(folder, service), off.TotalSeconds.ToString("0", CultureInfo.InvariantCulture));

    /// <summary>Sets all clocks right.</summary>
    /// <returns>The services that have to be started again for it.</returns>
    public IReadOnlyList<string> Heal()
    {
        string[] off = [.. FaultCatalogue.Workers.Where(w => File.ReadAllText(Path.Combine(folder, w)).Trim() != "0")];
        foreach (var service in off)
            Set(service, TimeSpan.Zero);
        return off;
    }
}
