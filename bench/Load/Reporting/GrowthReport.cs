using System.Globalization;

namespace Orders.Bench.Load.Reporting;

/// <summary>One line of the growth table.</summary>
public sealed record GrowthStage(string Name, Figures Figures);

/// <summary>What an order costs while the system grows; the ratio is to the first stage.</summary>
public sealed record GrowthReport(string Machine, string Commit, int Orders, IReadOnlyList<GrowthStage> Stages)
    : ITableReport
{
    public string Mark => "growth";

    public string Heading =>
        $"Measured on {Machine}, commit {Commit}, {DateTime.UtcNow:yyyy-MM-dd}: {Orders} orders per stage and round, the same processes throughout.";

    public List<string[]> Table =>
        [
            [
                "with",
                "CPU s/1,000",
                "ratio",
                "orders/s",
                "POST p99 ms",
                "RSS MB: api",
                "worker",
                "postgres",
                "rabbitmq",
            ],
            .. Stages.Select(stage =>
                new[]
                {
                    stage.Name,
                    Show(stage.Figures.CpuSecondsPer1000, "0.00"),
                    Show(stage.Figures.CpuSecondsPer1000 / Stages[0].Figures.CpuSecondsPer1000, "0.00"),
                    Show(stage.Figures.OrdersPerSecond, "0"),
                    Show(stage.Figures.PostP99Ms, "0"),
                    Show(Rss(stage, "api"), "0"),
                    Show(Rss(stage, "worker"), "0"),
                    Show(Rss(stage, "postgres"), "0"),
                    Show(Rss(stage, "rabbitmq"), "0"),
                }
            ),
        ];

    public object Json =>
        new
        {
            Machine,
            Commit,
            Orders,
            Growth = Stages,
        };

    private static double Rss(GrowthStage stage, string group) => stage.Figures.RssMb.GetValueOrDefault(group);

    private static string Show(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
