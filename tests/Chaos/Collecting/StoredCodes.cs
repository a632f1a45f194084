namespace Orders.Chaos.Collecting;

/// <summary>
/// The numbers that the database holds for states. The checker does not use the code that it checks; a test compares
/// the numbers with the enums.
/// </summary>
public static class StoredCodes
{
    public const int OrderAccepted = 0;
    public const int OrderProcessing = 1;
    public const int StepDone = 2;
    public const int StepFailed = 4;
    public const int StepUncertain = 5;
    public const int EffectPending = 1;
    public const int EffectDone = 2;
    public const int EffectUncertain = 3;
    public const int FailureFailed = 1;
    public const int FailureRedriving = 2;
    public const int FailureGone = 6;
    public const int FailureKindError = 1;
    public const int RedriveDone = 4;
}
