using System.Diagnostics;
using Npgsql;

namespace QueueWorkers.Clocks;

/// <summary>
/// The time of day by the database's clock, for every time that another process or the database compares with its own:
/// due times, leases, deadlines, ids that carry a time. The machine's own clock may be an hour off.
/// Each new connection reads the database's clock, and so does every poll of a worker. In between a monotonic clock
/// counts, so that a machine's clock that is set has no effect.
/// Before the first connection it is the machine's clock; no time can have been stored by then.
/// </summary>
public static class DatabaseClock
{
    private static readonly MeasuredClock Measured = new(TimeProvider.System);

    /// <summary>Now.</summary>
    public static DateTimeOffset UtcNow => Measured.UtcNow;

    /// <summary>An id that carries the time of this clock (UUID version 7).</summary>
    public static Guid NewId() => Guid.CreateVersion7(UtcNow);

    /// <summary>The same clock for code that takes a <see cref="TimeProvider"/>; timers are the machine's.</summary>
    public static TimeProvider Provider { get; } = new DatabaseTime();

    /// <summary>Reads the clock of each new connection.</summary>
    public static NpgsqlDataSourceBuilder UseDatabaseClock(this NpgsqlDataSourceBuilder builder)
    {
        builder.UsePhysicalConnectionInitializer(
            connection =>
            {
                using var command = new NpgsqlCommand("select clock_timestamp()", connection);
                var asked = Stopwatch.GetTimestamp();
                Answered(command.ExecuteScalar(), asked);
            },
            async connection =>
            {
                await using var command = new NpgsqlCommand("select clock_timestamp()", connection);
                var asked = Stopwatch.GetTimestamp();
                Answered(await command.ExecuteScalarAsync(), asked);
            }
        );
        return builder;
    }

    /// <summary>Notes what the database answered to <c>clock_timestamp()</c>.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="askedAt"><see cref="Stopwatch.GetTimestamp"/> before the question.</param>
    internal static void Answered(object? answer, long askedAt)
    {
        if (answer is DateTime at)
            Measured.Answered(new DateTimeOffset(at), askedAt);
    }

    private sealed class DatabaseTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => UtcNow;
    }
}
