using Npgsql;

namespace QueueWorkers.Monitoring;

/// <summary>Which steps exist, as the deployment wrote them down.</summary>
public sealed class StepNames(NpgsqlDataSource database)
{
    /// <summary>The steps in the order of the catalogue.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<IReadOnlyList<string>> ReadAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            "select step from step_catalogue where active order by position"
        );
        var names = new List<string>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            names.Add(reader.GetString(0));
        return names;
    }
}
