using Npgsql;

namespace QueueWorkers.Steps.Runs;

/// <summary>
/// The bit of each step, as the deployment wrote it into <c>step_catalogue</c>. Read once; a new step comes with a new
/// deployment and a restart.
/// </summary>
public sealed class StepBitmask
{
    private Dictionary<string, int>? _bits;

    /// <summary>The bit of a step, once <see cref="LoadAsync"/> has read them.</summary>
    /// <exception cref="InvalidOperationException">The database does not know the step: the deployment has not run
    /// since it was added.</exception>
    public int this[string step] =>
        Volatile.Read(ref _bits) is { } bits && bits.TryGetValue(step, out var bit)
            ? bit
            : throw new InvalidOperationException(
                $"Step '{step}' is not in the table step_catalogue (found: {string.Join(", ", _bits?.Keys.AsEnumerable() ?? [])}); run `Workers deploy` with this version."
            );

    /// <summary>
    /// Reads them if that was not done before: over the caller's connection, for one that holds a connection must not
    /// wait for another of the same pool.
    /// </summary>
    public async ValueTask LoadAsync(NpgsqlConnection connection)
    {
        if (Volatile.Read(ref _bits) is not null)
            return;
        await using var command = new NpgsqlCommand("select step, bit from step_catalogue", connection);
        await using var reader = await command.ExecuteReaderAsync();
        var bits = new Dictionary<string, int>();
        while (await reader.ReadAsync())
            bits[reader.GetString(0)] = reader.GetInt32(1);
        Volatile.Write(ref _bits, bits);
    }
}
