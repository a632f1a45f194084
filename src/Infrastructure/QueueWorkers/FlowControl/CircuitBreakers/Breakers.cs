using System.Data;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Data;
using QueueWorkers.Operators;

namespace QueueWorkers.FlowControl.CircuitBreakers;

/// <summary>
/// What an operator sees of the breakers, and can set. It is committed together with its audit record, or not at all;
/// who may do it is the caller's to know.
/// </summary>
public sealed class Breakers(NpgsqlDataSource database)
{
    private const string List =
        "select dependency, state, forced, opened_at, retry_at, trips, reason, changed_at from breakers order by dependency";

    private const string Force =
        "update breakers set forced = $2, reason = $3, changed_at = now() where dependency = $1";

    // Whoever takes the force away wants to know how the dependency does: it is tried at once, with one message.
    private static readonly string Release = $"""
        update breakers set forced = null, reason = $2, changed_at = now(), probe_by = null, probe_until = null,
            retry_at = case when state = {BreakerState.Closed:D} then null else now() end,
                state = case when state = {BreakerState.Closed:D} then {BreakerState.Closed:D}
                else {BreakerState.Open:D} end
        where dependency = $1
        """;

    /// <summary>All of them.</summary>
    public async Task<IReadOnlyList<Breaker>> ListAsync(CancellationToken cancellationToken = default)
    {
        await using var command = database.CreateCommand(List);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var breakers = new List<Breaker>();
        while (await reader.ReadAsync(cancellationToken))
        {
            breakers.Add(
                new Breaker
                {
                    Dependency = reader.GetString("dependency"),
                    State = (BreakerState)reader.GetInt16("state"),
                    Forced = reader.IsDBNull("forced") ? null : (BreakerState)reader.GetInt16("forced"),
                    OpenedAt = reader.Optional<DateTimeOffset>("opened_at"),
                    RetryAt = reader.Optional<DateTimeOffset>("retry_at"),
                    Trips = reader.GetInt32("trips"),
                    Reason = reader.GetString("reason"),
                    ChangedAt = reader.GetFieldValue<DateTimeOffset>("changed_at"),
                }
            );
        }

        return breakers;
    }

    /// <summary>Holds a breaker open or closed, whatever the replicas find out, until it is released.</summary>
    /// <param name="dependency">The dependency.</param>
    /// <param name="state"><see cref="BreakerState.Open"/> or <see cref="BreakerState.Closed"/>; null releases it: a
    /// breaker that was open is tried at once.</param>
    /// <param name="audit">Who does it, and why.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="UnknownDependencyException">No worker with that dependency ever ran.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The state cannot be forced.</exception>
    public async Task ForceAsync(
        string dependency,
        BreakerState? state,
        AuditEntry audit,
        CancellationToken cancellationToken = default
    )
    {
        if (state is BreakerState.HalfOpen)
            throw new ArgumentOutOfRangeException(
                nameof(state),
                state,
                "A breaker can be forced Open or Closed, or released; it is half open only while a trial is under way."
            );

        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(state is null ? Release : Force, connection);
        command.Parameters.Add(new() { Value = dependency });
        if (state is { } forced)
            command.Parameters.Add(new() { Value = (short)forced, NpgsqlDbType = NpgsqlDbType.Smallint });
        command.Parameters.Add(new() { Value = $"{audit.Who}: {audit.Reason}" });
        if (await command.ExecuteNonQueryAsync(cancellationToken) == 0)
            throw new UnknownDependencyException(dependency);
        await AuditLog.WriteAsync(connection, audit, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }
}

/// <summary>There is no dependency of that name.</summary>
public sealed class UnknownDependencyException(string dependency)
    : Exception($"There is no dependency '{dependency}'; it appears when the first worker that needs it has started.");
