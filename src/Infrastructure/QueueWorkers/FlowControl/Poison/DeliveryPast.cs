namespace QueueWorkers.FlowControl.Poison;

/// <summary>What a delivered message says about its past.</summary>
/// <param name="Lost">Deliveries of it that were lost so far, as the broker counts them.</param>
/// <param name="Generation">How often it was redriven.</param>
/// <param name="IsFromErrorQueue">Somebody has moved it back from <c>_error</c> by hand.</param>
public readonly record struct DeliveryPast(long Lost, int Generation = 0, bool IsFromErrorQueue = false);
