using System.Text.Encodings.Web;
using System.Text.Json;

namespace Orders.Bench.Load.Reporting;

public static class JsonReport
{
    private static readonly JsonSerializerOptions Layout = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string Of(ITableReport report) => JsonSerializer.Serialize(report.Json, Layout);

    public static string Of(Report report) =>
        JsonSerializer.Serialize(
            new
            {
                report.Machine,
                report.Commit,
                Orders = report.Options.Orders,
                report.Options.Warmup,
                report.Options.Clients,
                report.Options.Rounds,
                Systems = report.Systems.ToDictionary(system => system.Name, SystemFigures),
                RatioBase = report.Base.Name,
                Ratios = report.Others.ToDictionary(
                    other => other.Name,
                    other => new
                    {
                        CpuSecondsPer1000 = report.CpuRatio(other),
                        OrdersPerSecond = report.RateRatio(other),
                    }
                ),
            },
            Layout
        );

    // The medians as members of the system itself, then where they come from.
    private static Dictionary<string, object?> SystemFigures(SystemReport system)
    {
        var members = JsonSerializer
            .SerializeToNode(system.Median, Layout)!
            .AsObject()
            .ToDictionary(m => m.Key, m => (object?)m.Value);
        members["durability"] = system.Durability;
        members["rounds"] = system.Rounds;
        return members;
    }
}
