using QueueWorkers.Clocks;
using QueueWorkers.FlowControl;
using QueueWorkers.FlowControl.Gates;

namespace Orders.Infrastructure.Tests.FlowControl;

/// <summary>Why a message is deferred, as the pages show it: the breaker's reason and the run's own fault.</summary>
internal sealed class DeferralReasonTests
{
    [TestCase(
        "'smtp' is down: 6 of 8 calls failed",
        "451 4.3.0 not now, try again.",
        ExpectedResult = "'smtp' is down: 6 of 8 calls failed; 451 4.3.0 not now, try again."
    )]
    [TestCase(
        "'smtp' is down: 451 4.3.0 not now, try again.",
        "451 4.3.0 not now, try again.",
        ExpectedResult = "'smtp' is down: 451 4.3.0 not now, try again."
    )]
    [TestCase(
        "'smtp' is down: <address>: mailbox busy.",
        "zoe@example.com: mailbox busy.",
        ExpectedResult = "'smtp' is down: <address>: mailbox busy."
    )]
    [TestCase("'smtp' is down: not now.", "Refused.", ExpectedResult = "'smtp' is down: not now; Refused.")]
    [TestCase("'smtp' is down: not now.", "", ExpectedResult = "'smtp' is down: not now.")]
    public string The_fault_of_a_trial_is_said_once(string reason, string fault) =>
        AdmissionResult.Later(DatabaseClock.UtcNow, DeferralCause.Breaker, reason).ReasonWith(fault);
}
