using Npgsql;
using NpgsqlTypes;

namespace QueueWorkers.Monitoring.History;

/// <summary>Reads when builds came into use.</summary>
public sealed class DeployReader(NpgsqlDataSource database)
{
    // The steps of a deployment are restarted one after another: that is one mark and not four.
    private static readonly TimeSpan OneDeployment = TimeSpan.FromMinutes(10);

    /// <summary>The deployments, in the order of time.</summary>
    /// <param name="span">How far back.</param>
    /// <param name="step">Only those of a step; null for all.</param>
    /// <param name="now">The present.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<IReadOnlyList<DeployMark>> ReadAsync(
        TimeSpan span,
        string? step,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(
            "select build, step, first_seen_at from step_builds where first_seen_at >= $1 and ($2::text is null or step = $2) order by build, first_seen_at, step"
        );
        command.Parameters.Add(
            new() { Value = (now - span).ToUniversalTime(), NpgsqlDbType = NpgsqlDbType.TimestampTz }
        );
        command.Parameters.Add(new() { Value = (object?)step ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        var marks = new List<DeployMark>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var (build, name, at) = (reader.GetString(0), reader.GetString(1), reader.GetFieldValue<DateTimeOffset>(2));
            if (marks is [.., var last] && last.Build == build && at - last.At < OneDeployment)
                marks[^1] = last with { Steps = [.. last.Steps, name] };
            else
                marks.Add(new DeployMark(at, build, [name]));
        }

        return [.. marks.OrderBy(m => m.At)];
    }
}
