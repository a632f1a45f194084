using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests.Failpoints;

/// <summary>
/// Every call to the outside stands beside a failpoint, so that the matrix of crash points leaves none out.
/// </summary>
public sealed partial class FailpointTests
{
    private const string Failpoint = "QueueWorkers.Failpoints.Failpoint";

    // Methods (or whole namespaces, ending in a dot) that need none, and why.
    private static readonly Dictionary<string, string> Exempt = new()
    {
        ["QueueWorkers.Deployment."] =
            "deployment: repeated from the start after a crash; DeploymentTests runs eight at once",
        ["QueueWorkers.Messaging.RabbitManagement."] = "deployment's way to policies and users, see above",
        ["Orders.Infrastructure.DemoCatalogue."] = "part of the deployment, in its transaction",
        ["Orders.Infrastructure.Keys."] =
            "keys of clients: one statement, which writes the audit record too; an admin asks again",
        ["Orders.Infrastructure.ApiKeys."] = "part of the deployment, in its transaction",
        ["QueueWorkers.Clocks."] = "reads the clock of a new connection; a failure is one of opening it",
        ["Orders.Infrastructure.Invoices.InvoiceCounterCheck."] =
            "reads at the start, before anything is begun; a process that dies there starts again",
        ["QueueWorkers.Hosting.Secrets."] =
            "reads at the start, before anything is begun; a process that dies there starts again",
        ["QueueWorkers.Hosting.DatabaseHealth."] = "a probe that writes nothing and whose failure is its answer",
        ["QueueWorkers.DeadLetters.Search.FailureSearch."] = "reads a page of the operator's",
        ["QueueWorkers.DeadLetters.UncertainEffects.ListAsync"] = "reads a page of the operator's",
        ["QueueWorkers.DeadLetters.FailureRows.CloseAsync"] =
            "part of two transactions: a crash is one at steps.before_commit_failure or deadletter.before_commit_settled",
        ["QueueWorkers.Redrive.Planning.RedrivePreview."] = "the dry run: reads, and an operator asks again",
        ["QueueWorkers.Redrive.Planning.RedriveTargets."] =
            "the dry run's look at queues and breakers, whose failure is part of the plan",
        ["QueueWorkers.Redrive.RedriveReader.ItemsAsync"] = "reads a page of the operator's",
        ["Orders.Infrastructure.Failures."] =
            "looks orders up for an operator, and for the redrive after redrive.before_ask_for_reasons; writes nothing",
        ["QueueWorkers.Operators."] =
            "who an operator is: read for each request, whose failure is a 503; the audit record is written in the transaction of the action that it records",
        ["QueueWorkers.Steps.Runs.StepBitmask."] =
            "read once per process, before its first commit, and again until it succeeds",
        ["QueueWorkers.FlowControl.Cancellation."] =
            "reads news; what is missed is met by the commits (CancellingAtEveryMomentTests)",
        ["QueueWorkers.Steps.Writing."] =
            "saves inside the commit of a run: a crash is one at steps.before_progress, and no order comes by there",
        ["QueueWorkers.Steps.Reports."] =
            "what a run tells about itself: the last second may be lost, nothing depends on it",
        ["QueueWorkers.Erasing."] =
            "what is erased and its place on the list are one transaction; ErasureInterruptedTests ends it in the middle",
        ["Orders.Infrastructure.Erasing."] = "part of the erasure, in its transaction; and reads for an export",
        ["QueueWorkers.Replays."] =
            "cursor and messages are one transaction; ReplayTests goes on with another process after every turn",
        ["QueueWorkers.Bulk."] =
            "what is done to a target and its mark are one transaction; BulkCrashTests kills the process in the middle",
        ["Orders.Infrastructure.Bulk."] = "part of a bulk action's transaction; and reads a page of the operator's",
        ["Orders.Infrastructure.Feeding."] =
            "copies for orders that wait: a look that is lost is one look, the original message is where it was",
        ["Orders.Infrastructure.Invoices.InvoiceNumbers.WhyNotAsync"] =
            "a look for the reason of a refusal that has happened",
        ["QueueWorkers.Scheduling."] =
            "a firing and its message are one transaction, jobs are safe to repeat; EverySecondTests kills the processes at random",
        ["QueueWorkers.Retention."] = "each batch is one statement, and the next purge takes what was left",
        ["QueueWorkers.Completeness."] = "findings and mark are one transaction, and the next check repeats it",
        ["Orders.Infrastructure.Completeness."] = "reads, in the transaction of the check",
        ["QueueWorkers.Leases."] =
            "a lease that is not released ends by itself; RowLeaseTests, KillerTests, and the failpoints of those who take one",
        ["QueueWorkers.FlowControl.Poison."] = "about processes that die; KillerTests lets one die four times",
        ["QueueWorkers.Idempotency.DuplicateWriter."] = "evidence, written after the fact and allowed to be lost",
        ["QueueWorkers.Idempotency.DuplicateReader."] = "a page of the operator's",
        ["Orders.Infrastructure.Inventory.LowStockReader."] = "read for a report that belongs to no order",
        ["QueueWorkers.Topology."] =
            "the check of the topology: repeated until it succeeds, marks say where it stands, copies are dropped by the steps (DeletedQueueTests)",
        ["QueueWorkers.Messaging.QueueDeclaration."] =
            "declares what may be there already: by the deployment and the check of the topology, which are repeated",
        ["QueueWorkers.Consuming.Watching.QueueProbe."] = "a probe that writes nothing and whose failure is its answer",
        ["QueueWorkers.Monitoring."] =
            "reads what the dashboard shows, and writes its history, which may be written again; no order comes by there",
        ["QueueWorkers.Monitoring.Alerts."] =
            "alerts: each statement may be repeated, and what was not written down as sent is sent again",
        ["Orders.Infrastructure.Reading.OrderSearchReader."] = "a page's reading, whose failure is shown in the page",
        ["Orders.Infrastructure.Reading.OrderDetailsReader."] = "a page's reading, whose failure is shown in the page",
        ["Orders.Dashboard.Alerts."] =
            "tells receivers of alerts: what failed is tried again, and a repetition has the same id",
        ["QueueWorkers.FlowControl."] =
            "states and permits that no message depends on: read or asked for again a second later, see ControlPoll and DependencyHealth",
        ["QueueWorkers.Outbox.Relaying.RelaySlowLane.TryAsync"] =
            "the poller's statements for one row: a crash rolls its transaction back, as at relay.after_poll_confirm",
        ["QueueWorkers.Outbox.Relaying.SharedTrials."] =
            "who tries a destination next: a claim that is lost costs one wait, and rows that were not made due are due by themselves (SlowDestinationTests)",
        ["QueueWorkers.Steps.Claims.EffectClaims.TakeBackUnansweredAsync"] =
            "repeated until it succeeds; a process that dies before it has died after its claim, as at steps.after_claim (UnaskedMailTests)",
        ["QueueWorkers.Consuming.StepFailures.RecordDeferredAsync"] =
            "a note for the reader; the message's way back is the outbox insert after it, which has its failpoints",
        ["Orders.Smtp."] =
            "connects and logs in: no mail has begun and nothing is claimed; a crash is one at email.before_connect",
        ["Orders.Workers.Email.Smtp.SmtpConnection.CloseAsync"] = "QUIT on a connection that carries no mail",
    };

    private static IEnumerable<string> Assemblies =>
        Repository
            .Find("src", "*.csproj")
            .Select(Repository.AssemblyOf)
            .Where(name => name != "Orders.Contracts")
            .Select(name => Path.Combine(AppContext.BaseDirectory, $"{name}.dll"));

    [Test]
    public void Every_call_to_the_outside_has_a_failpoint_in_its_method()
    {
        foreach (var assembly in Assemblies)
        {
            var naked = CompiledCode
                .MethodsOf(assembly)
                .Where(m =>
                    m.Calls.Any(OutsideCalls.Is)
                    && !m.Calls.Any(IsFailpoint)
                    && !Exempt.Keys.Any(e =>
                        $"{m}.".StartsWith(e.EndsWith('.') ? e : $"{e}.", StringComparison.Ordinal)
                    )
                )
                .Select(m =>
                    $"{m} ({string.Join(", ", m.Calls.Where(OutsideCalls.Is).Select(c => c.Method).Distinct())})"
                );
            Assert.That(
                naked,
                Is.Empty,
                """
                methods with a call to the outside and without a failpoint. Add Failpoint.Hit("area.before_what", Outside.Database) before the call, and, if it writes,
                Failpoint.Hit("area.after_what", …) after it; then say in tests/CrashPoints.Tests/Scenarios how an order comes by there. Nothing of it is left in a Release build.
                """
            );
        }
    }

    [Test]
    public void No_exemption_outlives_its_method()
    {
        var methods = Assemblies
            .SelectMany(CompiledCode.MethodsOf)
            .Where(m => m.Calls.Any(OutsideCalls.Is))
            .Select(m => $"{m}.")
            .ToArray();
        Assert.That(
            Exempt.Keys.Where(e =>
                !methods.Any(m => m.StartsWith(e.EndsWith('.') ? e : $"{e}.", StringComparison.Ordinal))
            ),
            Is.Empty
        );
    }

    [Test]
    public void Every_failpoint_has_a_name_of_its_own()
    {
        var names = Assemblies
            .SelectMany(CompiledCode.MethodsOf)
            .SelectMany(m => m.Calls)
            .Where(IsFailpoint)
            .Select(c => c.Text)
            .ToArray();
        Assert.That(
            names,
            Is.Not.Empty.And.Unique.And.All.Matches(Name().ToString()),
            "names of failpoints: area.before_what or area.after_what"
        );
    }

    private static bool IsFailpoint(CompiledCall call) => call is { Type: Failpoint, Method: "Hit" };

    [GeneratedRegex("^[a-z]+\\.(before|after)_[a-z_]+$")]
    private static partial Regex Name();
}
