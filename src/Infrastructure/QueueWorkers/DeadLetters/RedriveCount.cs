namespace QueueWorkers.DeadLetters;

/// <summary>
/// How often a message was redriven, written on the message itself: it survives redelivery and comes back with the copy
/// in <c>_error</c>.
/// </summary>
internal static class RedriveCount
{
    /// <summary>The header, in the envelope and on the transport.</summary>
    public const string Header = "Redrive-Count";
}
