using QueueWorkers.Hosting;

namespace Orders.Infrastructure;

/// <summary>The settings of all hosts of Orders.</summary>
public static class OrdersSettings
{
    /// <summary>
    /// Their names. A host knows those of the others too: one file of variables for all of them is no mistake.
    /// </summary>
    public static KnownSettings Known { get; } = new(Names());

    // deploy/settings/all.txt, written by ./dev docs: name, tab, default.
    private static List<string> Names()
    {
        using var stream = typeof(OrdersSettings).Assembly.GetManifestResourceStream("settings.txt")!;
        using var reader = new StreamReader(stream);
        List<string> names = [];
        while (reader.ReadLine() is { } line)
        {
            if (line is not ("" or ['#', ..]))
                names.Add(line.Split('\t')[0]);
        }

        return names;
    }
}
