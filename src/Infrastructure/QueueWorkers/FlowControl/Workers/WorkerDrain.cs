namespace QueueWorkers.FlowControl.Workers;

/// <summary>That an operator wants a process to take nothing more.</summary>
/// <param name="By">Who.</param>
/// <param name="Reason">Why.</param>
internal sealed record WorkerDrain(string By, string Reason);
