namespace QueueWorkers.Steps.Faults;

/// <summary>
/// The run cannot go ahead yet, and nothing was begun: its message is deferred. No attempt is counted. The waits of a
/// message that is deferred again and again grow to 30 seconds at least.
/// </summary>
/// <param name="message">Why, in a sentence.</param>
/// <param name="until">When the message comes again.</param>
public class StepDeferredException(string message, DateTimeOffset until) : Exception(message)
{
    /// <summary>When the message comes again.</summary>
    public DateTimeOffset Until => until;
}
