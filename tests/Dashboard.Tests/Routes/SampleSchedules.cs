using Orders.Testing.Servers;
using QueueWorkers.Operators;
using QueueWorkers.Scheduling;
using QueueWorkers.Scheduling.Changeable;

namespace Orders.Dashboard.Tests.Routes;

/// <summary>The schedules of the application, and one that an operator has created.</summary>
internal static class SampleSchedules
{
    /// <summary>Of what operators create schedules.</summary>
    public const string Kind = "stock-report";

    /// <summary>The name of the created one, which is written if it is not there.</summary>
    public static async Task<string> OfAsync(TestDatabase data)
    {
        await new ScheduleDeployment(data.Source, Workers.Schedules.Catalogue).DeployAsync(CancellationToken.None);
        var found = await data.RowsAsync("select name from schedules where kind = $1", Kind);
        if (found.Count > 0)
            return (string)found[0][0]!;
        var (name, _) = await new ChangeableSchedules(data.Source).CreateAsync(
            Kind,
            "mugs",
            new ScheduleDraft(
                "0 7 * * 1-5",
                "Europe/Berlin",
                Misfire.Skip,
                new() { ["below"] = 20, ["articles"] = "MUG-" }
            ),
            target => new AuditEntry
            {
                Who = "otto",
                Role = "Operator",
                Action = "create-schedule",
                Target = target,
                Reason = "Mugs are bought each morning.",
            },
            CancellationToken.None
        );
        return name;
    }
}
