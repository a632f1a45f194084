using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orders.Infrastructure.Orders;
using Orders.Infrastructure.Outbox;
using Orders.Infrastructure.Steps;

namespace Orders.Infrastructure.Deployment;

/// <summary>Brings the database up to this version: migrations, the step catalogue, and a role per process. Safe to repeat; several at once take turns.</summary>
public sealed class DatabaseDeployment(OrdersDbContext context, NpgsqlDataSource database, StepCatalogue catalogue, IConfiguration configuration, ILogger<DatabaseDeployment> logger)
{
    // Any number that nobody else uses: whoever holds it deploys, the others wait.
    private const long DeploymentLock = 0x4f72646572730001;

    /// <summary>Does it.</summary>
    /// <param name="fill">Writes first rows where there are none; nobody else deploys meanwhile, or two would find the same table empty.</param>
    /// <param name="cancellationToken">Ends the waiting for others.</param>
    public async Task DeployAsync(Func<Task> fill, CancellationToken cancellationToken)
    {
        // An open transaction that does nothing else holds the lock: it ends with the process, also behind a pooler that hands out sessions by transaction.
        await using var alone = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await alone.BeginTransactionAsync(cancellationToken);
        await ExecuteAsync(alone, "set local lock_timeout = 0; set local idle_in_transaction_session_timeout = 0", cancellationToken);
        await ExecuteAsync(alone, $"select pg_advisory_xact_lock({DeploymentLock})", cancellationToken);

        await MigrateAsync(cancellationToken);
        await using (var connection = await database.OpenConnectionAsync(cancellationToken))
        {
            await SetDefaultsAsync(connection, cancellationToken);
            await WriteCatalogueAsync(connection, cancellationToken);
            await WriteSubscriptionsAsync(connection, cancellationToken);
            await DeployRolesAsync(connection, cancellationToken);
        }

        await fill();
        await transaction.CommitAsync(cancellationToken);
    }

    // A migration of a large table takes minutes, and may wait as long for its lock. The time limits that every connection here has are for statements that many wait for.
    // The context's connection is held open, so that the settings hold for all migrations, and is given back without them.
    private async Task MigrateAsync(CancellationToken cancellationToken)
    {
        context.Database.SetCommandTimeout(TimeSpan.Zero);
        await context.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            await context.Database.ExecuteSqlRawAsync("set lock_timeout = 0; set idle_in_transaction_session_timeout = 0", cancellationToken);
            var pending = (await context.Database.GetPendingMigrationsAsync(cancellationToken)).ToArray();
            await context.Database.MigrateAsync(cancellationToken);
            DeploymentLog.DatabaseDeployed(logger, (await context.Database.GetAppliedMigrationsAsync(cancellationToken)).Last(), pending.Length);
            await context.Database.ExecuteSqlRawAsync("reset lock_timeout; reset idle_in_transaction_session_timeout", cancellationToken);
        }
        finally
        {
            await context.Database.CloseConnectionAsync();
        }
    }

    // For each session from now on, whoever opens it. As start-up options of the connection they would not pass a pooler.
    // A stuck twin on the same message, key or order must not pin a slot for ever; 55P03 is a transient fault and the message comes again.
    private static Task SetDefaultsAsync(NpgsqlConnection connection, CancellationToken cancellationToken) => ExecuteAsync(connection, """
        do $do$ begin
            execute format('alter database %I set lock_timeout = %L', current_database(), '5s');
            execute format('alter database %I set idle_in_transaction_session_timeout = %L', current_database(), '30s');
        end $do$
        """, cancellationToken);

    // A step keeps its bit for ever, also when it leaves the catalogue: old orders were measured with it.
    private async Task WriteCatalogueAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await ExecuteAsync(connection, "update step_catalogue set active = false", cancellationToken);
        for (var position = 0; position < catalogue.Steps.Count; position++)
        {
            await using var command = new NpgsqlCommand("""
                insert into step_catalogue (step, bit, position, consumes, depends_on, active)
                values ($1, (select 1 << coalesce(max(round(log(2, bit))::int) + 1, 0) from step_catalogue), $2, $3, $4, true)
                on conflict (step) do update set position = excluded.position, consumes = excluded.consumes, depends_on = excluded.depends_on, active = true
                """, connection);
            command.Parameters.Add(new() { Value = catalogue.Steps[position].Name });
            command.Parameters.Add(new() { Value = position });
            command.Parameters.Add(new() { Value = catalogue.Steps[position].Consumes.Select(MessageName.ExchangeOf).ToArray() });
            command.Parameters.Add(new() { Value = (object?)catalogue.Steps[position].Policy.DependsOn?.Name ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    // Replaced as a whole: what the configuration no longer names is no longer announced to. Its queue stays, with what is in it.
    private async Task WriteSubscriptionsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var wanted = Subscriptions.Of(catalogue, configuration);
        await using var command = new NpgsqlCommand("""
            with wanted as (select * from unnest($1::text[], $2::text[]) as t(exchange, queue)),
            ended as (delete from subscriptions s where not exists (select from wanted w where w.exchange = s.exchange and w.queue = s.queue) returning s.exchange, s.queue),
            begun as (insert into subscriptions (exchange, queue) select exchange, queue from wanted on conflict do nothing)
            select exchange, queue from ended
            """, connection);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. wanted.Select(s => s.Exchange)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. wanted.Select(s => s.Queue)] });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            DeploymentLog.SubscriptionEnded(logger, reader.GetString(1), reader.GetString(0));
    }

    private async Task DeployRolesAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await DeployRoleAsync(connection, "api", DatabaseGrants.Api, cancellationToken);
        await DeployRoleAsync(connection, "dashboard", DatabaseGrants.Dashboard, cancellationToken);
        await DeployPoolerAsync(connection, cancellationToken);
        foreach (var step in catalogue.Steps)
            await DeployRoleAsync(connection, step.Name, [.. DatabaseGrants.Worker, .. step.Policy.Grants], cancellationToken);
    }

    // What PgBouncer asks before it lets a process in (deploy/pgbouncer). Only for the processes' own roles, and only for that one user.
    private async Task DeployPoolerAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (ProcessCredentials.DatabasePassword(configuration, "pooler") is null)
            return;
        await ExecuteAsync(connection, """
            create or replace function pooler_login(name text) returns table (usename name, passwd text) language sql security definer set search_path = pg_catalog as
            $f$ select rolname, rolpassword from pg_authid where rolname = name and rolname like 'orders\_%' and rolcanlogin and not rolsuper $f$;
            revoke all on function pooler_login(text) from public
            """, cancellationToken);
        await DeployRoleAsync(connection, "pooler", ["execute on function pooler_login(text)"], cancellationToken);
    }

    private async Task DeployRoleAsync(NpgsqlConnection connection, string process, IReadOnlyList<string> grants, CancellationToken cancellationToken)
    {
        if (ProcessCredentials.DatabasePassword(configuration, process) is not { } password)
            return;

        var role = ProcessCredentials.UserOf(process);
        await ExecuteAsync(connection, $"""
            do $do$ begin
                if not exists (select from pg_roles where rolname = '{role}') then create role {role} login nosuperuser nocreatedb nocreaterole; end if;
            end $do$
            """, cancellationToken);
        await ExecuteAsync(connection, $"alter role {role} password '{password.Replace("'", "''", StringComparison.Ordinal)}'", cancellationToken);
        // From nothing, so that a grant which a newer version no longer lists is gone.
        await ExecuteAsync(connection, $"revoke all on all tables in schema public from {role}; revoke all on all sequences in schema public from {role}", cancellationToken);
        await ExecuteAsync(connection, $"grant usage on schema public to {role}", cancellationToken);
        foreach (var grant in grants)
            await ExecuteAsync(connection, $"grant {grant} to {role}", cancellationToken);
        DeploymentLog.RoleDeployed(logger, role);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
