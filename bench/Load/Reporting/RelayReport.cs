using System.Globalization;

namespace Orders.Bench.Load.Reporting;

/// <summary>What one round of the relay measured.</summary>
/// <param name="RowsPerSecond">Rows taken, published, confirmed and deleted.</param>
/// <param name="MicrosecondsByGroup">CPU per row, in microseconds: the relay's own, the database's, the
/// broker's.</param>
public sealed record RelayFigures(double RowsPerSecond, Dictionary<string, double> MicrosecondsByGroup);

/// <summary>The relay alone, over all rounds; the median by rows per second.</summary>
public sealed record RelayReport(string Machine, string Commit, int Rows, IReadOnlyList<RelayFigures> Rounds)
    : ITableReport
{
    public RelayFigures Median => Rounds.OrderBy(r => r.RowsPerSecond).ElementAt(Rounds.Count / 2);

    public string Mark => "relay";

    public string Heading =>
        $"Measured on {Machine}, commit {Commit}, {DateTime.UtcNow:yyyy-MM-dd}: {Rows} rows of 0.4 kB, to one quorum queue, median of {Rounds.Count} rounds.";

    public List<string[]> Table =>
        [
            ["rows/s", .. Median.MicrosecondsByGroup.Keys.Select(group => $"CPU µs a row: {group}")],
            [
                Median.RowsPerSecond.ToString("0", CultureInfo.InvariantCulture),
                .. Median.MicrosecondsByGroup.Values.Select(v => v.ToString("0.0", CultureInfo.InvariantCulture)),
            ],
        ];

    public object Json =>
        new
        {
            Machine,
            Commit,
            Rows,
            Relay = Median,
            Rounds,
        };
}
