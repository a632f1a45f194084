using Npgsql;
using Orders.Testing;
using Orders.Testing.Servers;

namespace Orders.Infrastructure.Tests.Steps;

/// <summary>
/// The database stands still at the claim of one subject until the stall ends. A committer that meets it is at that
/// batch, and further claims wait in its queue. No lock is waited for, so no lock timeout ends the stall.
/// </summary>
internal sealed class ClaimStall : IAsyncDisposable
{
    private readonly TestDatabase _database;
    private readonly NpgsqlConnection _hold;

    private ClaimStall(TestDatabase database, NpgsqlConnection hold) => (_database, _hold) = (database, hold);

    /// <summary>The subject whose claim meets the stall.</summary>
    public Guid Subject { get; } = Guid.NewGuid();

    public static async Task<ClaimStall> BeginAsync(TestDatabase database)
    {
        var stall = new ClaimStall(database, await database.Source.OpenConnectionAsync());
        await using (var hold = new NpgsqlCommand("select pg_advisory_lock(4712)", stall._hold))
            await hold.ExecuteNonQueryAsync();
        await database.ExecuteAsync(
            $"""
            create or replace function stall_claim() returns trigger language plpgsql as $do$ begin
                while not pg_try_advisory_xact_lock_shared(4712) loop
                    perform pg_sleep(0.01);
                end loop;
                return new;
            end $do$;
            create or replace trigger stalls_claim before insert on effects
                for each row when (new.subject_id = '{stall.Subject}') execute function stall_claim()
            """
        );
        return stall;
    }

    /// <summary>Waits until a claim has met it.</summary>
    public Task IsMetAsync() =>
        Eventually.Is(
            () =>
                _database.ScalarAsync<bool>(
                    "select exists (select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep')"
                ),
            "a claim stands still"
        );

    public async Task EndAsync()
    {
        await using var release = new NpgsqlCommand("select pg_advisory_unlock_all()", _hold);
        await release.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        await _hold.DisposeAsync();
    }
}
