namespace Orders.Bench.Load.Reporting;

/// <summary>A report that is one table.</summary>
public interface ITableReport
{
    /// <summary>The name in the documentation's marks, <c>&lt;!-- bench-NAME --&gt;</c>.</summary>
    string Mark { get; }

    /// <summary>Machine, commit and what was measured.</summary>
    string Heading { get; }

    /// <summary>The rows, the heading first.</summary>
    List<string[]> Table { get; }

    /// <summary>What <c>--json</c> writes.</summary>
    object Json { get; }
}
