using Orders.Chaos.Collecting;
using Orders.Infrastructure;
using QueueWorkers.DeadLetters;
using QueueWorkers.Idempotency;
using QueueWorkers.Redrive;
using QueueWorkers.Steps;

namespace Orders.Chaos.Tests.Collecting;

/// <summary>The checker reads the numbers that the system writes.</summary>
public sealed class StoredCodesTests
{
    [TestCase(StoredCodes.OrderAccepted, OrderStatus.Accepted)]
    [TestCase(StoredCodes.OrderProcessing, OrderStatus.Processing)]
    [TestCase(StoredCodes.StepDone, StepStatus.Done)]
    [TestCase(StoredCodes.StepFailed, StepStatus.Failed)]
    [TestCase(StoredCodes.StepUncertain, StepStatus.Uncertain)]
    [TestCase(StoredCodes.EffectPending, EffectState.Pending)]
    [TestCase(StoredCodes.EffectDone, EffectState.Done)]
    [TestCase(StoredCodes.EffectUncertain, EffectState.Uncertain)]
    [TestCase(StoredCodes.FailureFailed, FailureState.Failed)]
    [TestCase(StoredCodes.FailureRedriving, FailureState.Redriving)]
    [TestCase(StoredCodes.FailureGone, FailureState.Gone)]
    [TestCase(StoredCodes.FailureKindError, FailureKind.Error)]
    [TestCase(StoredCodes.RedriveDone, RedriveStage.Done)]
    public void Each_number_is_that_of_the_enum(int code, object value) =>
        Assert.That(code, Is.EqualTo(Convert.ToInt32(value, System.Globalization.CultureInfo.InvariantCulture)));
}
