using Npgsql;

namespace QueueWorkers.Steps;

/// <summary>The bit of each step, as the deployment wrote it into <c>step_catalogue</c>. Read once; a new step comes with a new deployment and a restart.</summary>
public sealed class StepBitmask(NpgsqlDataSource database)
{
    private readonly Lazy<Dictionary<string, int>> _bits = new(() => Read(database), LazyThreadSafetyMode.PublicationOnly);

    /// <summary>The bit of a step.</summary>
    /// <exception cref="InvalidOperationException">The database does not know the step: the deployment has not run since it was added.</exception>
    public int this[string step] => _bits.Value.TryGetValue(step, out var bit)
        ? bit
        : throw new InvalidOperationException($"Step '{step}' is not in the table step_catalogue (found: {string.Join(", ", _bits.Value.Keys)}); run `Workers deploy` with this version.");

    private static Dictionary<string, int> Read(NpgsqlDataSource database)
    {
        using var command = database.CreateCommand("select step, bit from step_catalogue");
        using var reader = command.ExecuteReader();
        var bits = new Dictionary<string, int>();
        while (reader.Read())
            bits[reader.GetString(0)] = reader.GetInt32(1);
        return bits;
    }
}
