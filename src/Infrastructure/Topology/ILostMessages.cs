namespace Orders.Infrastructure.Topology;

/// <summary>What the application knows about messages that were lost with a queue: implemented once.</summary>
public interface ILostMessages
{
    /// <summary>
    /// Sends a step the messages of all subjects again that it should have worked on by now and has not. Copies of messages that are still under way
    /// are dropped by the step: they have the same ids, or the effect is there already.
    /// </summary>
    /// <returns>How many were sent.</returns>
    /// <exception cref="Npgsql.NpgsqlException">The database does not answer; what was committed until then is sent.</exception>
    Task<int> SendAgainAsync(string stepName, CancellationToken cancellationToken);
}
