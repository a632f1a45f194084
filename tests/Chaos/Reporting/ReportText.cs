using System.Globalization;
using System.Text;
using Orders.Chaos.Checking;
using Orders.Chaos.Clients;
using Orders.Chaos.Planning;
using Orders.Chaos.Running;

namespace Orders.Chaos.Reporting;

/// <summary>
/// A report for people: faults, recovery times, one table of invariants, figures, and the line that counts.
/// </summary>
public static class ReportText
{
    private const int MostNamed = 10;

    /// <summary>Writes it.</summary>
    public static string Of(Report report)
    {
        var text = new StringBuilder();
        if (report.Recoveries.Count > 0)
            WriteFaults(text, report.Recoveries, report.Operations.Stops);
        if (report.Operations.Redrives.Count > 0)
            WriteRedrives(text, report.Operations);
        if (report.Samples.Count > 0)
            WriteSamples(text, report.Samples);
        WriteVerdicts(text, report.Findings);
        WriteFigures(text, report);
        text.Append(report.Findings);
        return text.ToString();
    }

    private static void WriteFaults(
        StringBuilder text,
        IReadOnlyList<Recovery> recoveries,
        IReadOnlyList<WorkerStop> stops
    )
    {
        Line(text, $"{"fault", -62}  lasted  worked again after");
        foreach (var r in recoveries)
            Line(
                text,
                $"{r.Times.Fault, -62} {Seconds(r.Times.Healed - r.Times.Injected), 7}  {(r.After is { } after ? Seconds(after) : "–"), 7}{(r.IsOverlapped ? "  (another fault meanwhile)" : "")}"
            );
        foreach (var s in stops)
            Line(
                text,
                $"{(s.Healthy is null ? "scaling in of" : "rolling restart of")} {s.Service, -10} ended with {s.ExitCode} after {Seconds(s.Took)}{(s.Healthy is { } healthy ? $", healthy {Seconds(healthy)} after its start" : "")}"
            );
        text.AppendLine();
        Line(text, $"{"recovery", -24} {"times", 5} {"p95", 7} {"max", 7}   target");
        foreach (var (name, target) in FaultCatalogue.Targets)
        {
            // What another fault has prolonged says nothing about this one; how a worker ends must not depend on it.
            var after = recoveries
                .Where(r => r.Times.Fault.Type.Class == name && r is { IsOverlapped: false, After: not null })
                .Select(r => r.After!.Value);
            TimeSpan[] times = [.. (name == FaultCatalogue.WorkerStop ? stops.Select(s => s.Took) : after).Order()];
            if (times.Length == 0)
                continue;
            var (p95, max) = (times[(int)Math.Ceiling(times.Length * 0.95) - 1], times[^1]);
            Line(
                text,
                $"{name, -24} {times.Length, 5} {Seconds(p95), 7} {Seconds(max), 7}   {target.P95.TotalSeconds:0}/{target.Max.TotalSeconds:0} s {(p95 <= target.P95 && max <= target.Max ? "met" : "MISSED")}"
            );
        }

        text.AppendLine();
    }

    private static void WriteRedrives(StringBuilder text, Operations operations)
    {
        Line(text, $"{"redrive", -44} {"total", 6} {"done", 6} {"again", 6} {"skipped", 8}");
        foreach (var r in operations.Redrives.Reverse())
            Line(
                text,
                $"{r.Reason, -44} {r.Total, 6} {r.Done, 6} {r.FailedAgain, 6} {r.Skipped, 8}{(r.IsDone ? "" : $"   {r.Stage}: {r.Waiting} waiting, {r.Sent} sent")}"
            );
        Line(
            text,
            $"{"together", -44} {operations.Redrives.Sum(r => r.Total), 6} {operations.Redrives.Sum(r => r.Done), 6} {operations.Redrives.Sum(r => r.FailedAgain), 6} {operations.Redrives.Sum(r => r.Skipped), 8}"
        );
        var asked = operations.Calls.Where(c => c.Asked != OperatorCall.Resume).ToArray();
        var refused = asked
            .Where(c => c is { IsGood: false, Status: not null })
            .GroupBy(c => c.Code ?? $"{c.Status}")
            .Select(g => $"{g.Count()} {g.Key}");
        Line(
            text,
            $"operators asked {asked.Length} times{string.Concat(refused.Select(r => $", {r}"))}, {asked.Count(c => c.Status is null)} without an answer; let a stopped redrive go on {operations.Calls.Count(c => c is { Asked: OperatorCall.Resume, IsGood: true })} times; {(operations.Cleared is { } cleared ? $"in the end nothing was dead-lettered after {Seconds(cleared)}" : "in the end something STAYED dead-lettered")}"
        );
        text.AppendLine();
    }

    private static void WriteSamples(StringBuilder text, IReadOnlyList<Sample> samples)
    {
        Line(text, $"{"memory, MiB", -34} {"first", 7} {"middle", 7} {"last", 7}");
        foreach (var (container, middle, last, flat) in Flatness.Of(samples))
            Line(
                text,
                $"{container, -34} {samples[0].Memory.GetValueOrDefault(container), 7:0} {middle, 7:0} {last, 7:0}   {(Flatness.KeepsLedgers(container) ? "keeps the ledgers" : flat ? "flat" : "GROWS")}"
            );
        text.AppendLine();
        Line(text, $"{"table, MiB", -34} {"first", 7} {"middle", 7} {"last", 7}");
        foreach (
            var table in samples[^1].Tables.Where(t => t.Value >= 1).OrderByDescending(t => t.Value).Select(t => t.Key)
        )
            Line(
                text,
                $"{table, -34} {samples[0].Tables.GetValueOrDefault(table), 7:0.0} {samples[samples.Count / 2].Tables.GetValueOrDefault(table), 7:0.0} {samples[^1].Tables[table], 7:0.0}"
            );
        text.AppendLine();
    }

    private static void WriteVerdicts(StringBuilder text, Findings findings)
    {
        Line(text, $"{"invariant", -52} {"checked on", 10}  violations");
        foreach (var v in findings.Verdicts)
        {
            Line(text, $"{v.Invariant.Name, -52} {v.Checked, 10}  {v.Violations.Count}");
            foreach (var violation in v.Violations.Take(MostNamed))
                Line(text, $"    {violation}");
            if (v.Violations.Count > MostNamed)
                Line(text, $"    and {v.Violations.Count - MostNamed} more");
        }

        text.AppendLine();
    }

    private static void WriteFigures(StringBuilder text, Report report)
    {
        Line(
            text,
            $"{report.Accepted} accepted, {report.Refused} refused as they had to be, {report.Unknown} without an answer; {(report.Drained is { } drained ? $"at rest {Seconds(drained)} after the last order" : "NOT at rest in time")}; the run took {Seconds(report.Took)}"
        );
        WriteMoving(text, "still moving after the last order", report.Moving);
        WriteMoving(text, "still moving after the last redrive", report.MovingAfterRedrives);
        Line(
            text,
            $"answered at the first try: {Share(report.AtFirstTry)}; with API and PostgreSQL up: {Share(report.WithApiAndDatabaseUp)} of all requests{(report.Scenario.MustAcceptAll ? " (every first try has to be)" : "")}"
        );
        if (report.Findings.Count(Meaning.Lost) == 0 && report.Accepted > 0)
            // The rule of three: nothing seen in n tries.
            Line(
                text,
                $"0 lost in {report.Accepted} means at most {3.0 / report.Accepted:0.0e+0} of all, with 95 % confidence"
            );
    }

    private static void WriteMoving(StringBuilder text, string when, IReadOnlyList<MovingPart> parts)
    {
        if (parts.Count > 0)
            text.Append(CultureInfo.InvariantCulture, $"{when}:{Environment.NewLine}{MovingPart.TextOf(parts)}");
    }

    private static string Share((int Asked, int Answered) part) =>
        part.Asked == 0
            ? "nothing was asked"
            : $"{part.Answered} of {part.Asked} ({Math.Floor(10_000.0 * part.Answered / part.Asked) / 100:0.00} %)";

    private static string Seconds(TimeSpan time) =>
        string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s");

    private static void Line(StringBuilder text, FormattableString line) =>
        text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
}
