using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Npgsql;
using QueueWorkers.Deployment.Framework;
using QueueWorkers.Hosting;
using QueueWorkers.Steps;

namespace QueueWorkers.Deployment;

/// <summary>
/// Brings the database up to this version: migrations, then the step catalogue, a role per process and first rows in
/// one transaction. Safe to repeat, and safe to run while the system works: others see all of it or nothing. Several at
/// once take turns.
/// </summary>
/// <typeparam name="TContext">The application's context, which has the migrations.</typeparam>
public sealed class DatabaseDeployment<TContext>(
    TContext context,
    NpgsqlDataSource database,
    StepCatalogue catalogue,
    IDatabaseRoles roles,
    IConfiguration configuration,
    ILogger<DatabaseDeployment<TContext>> logger
)
    where TContext : DbContext
{
    // Any number that nobody else uses: whoever holds it deploys, the others wait.
    private const long DeploymentLock = 0x4f72646572730001;

    // The two halves of the number, as pg_locks has them.
    private const string Holder = """
        select format('process %s of PostgreSQL, %s, since %s', a.pid, coalesce(nullif(a.application_name, ''), a.usename),
            to_char(a.xact_start at time zone 'UTC', 'HH24:MI:SS" UTC"'))
        from pg_locks l join pg_stat_activity a using (pid) where l.locktype = 'advisory' and l.granted
            and l.database = (select oid from pg_database where datname = current_database())
            and (l.classid::bigint << 32) + l.objid::bigint = $1
        """;

    /// <summary>Does it.</summary>
    /// <param name="prepare">Runs behind the migrations and before anything of this version can be seen: puts in place
    /// what the new steps need elsewhere. Gets a question that it asks right before it takes something away: whether
    /// processes of another build are connected at that moment.</param>
    /// <param name="fill">Writes first rows where there are none, in the transaction of the deployment.</param>
    /// <param name="cancellationToken">Ends the waiting for others.</param>
    /// <exception cref="InvalidConfigurationException">The database was deployed by another build, whose migrations
    /// this build does not have. Nothing was changed.</exception>
    public async Task DeployAsync(
        Func<Func<Task<bool>>, Task> prepare,
        Func<NpgsqlTransaction, Task> fill,
        CancellationToken cancellationToken
    )
    {
        var deployed = new DatabaseRoles(roles, catalogue, configuration, logger);
        // The transaction that writes also holds the lock: who has lost the lock has written nothing, and both end with
        // the process, also behind a pooler that hands out sessions by transaction.
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await ExecuteAsync(
            connection,
            "set local lock_timeout = 0; set local idle_in_transaction_session_timeout = 0",
            cancellationToken
        );
        await TakeTurnAsync(connection, cancellationToken);

        await MigrateAsync(cancellationToken);
        await deployed.CreateAsync(database, cancellationToken);
        var retired = await deployed.RetiredAsync(connection, cancellationToken);
        await prepare(AreOthersConnectedAsync);

        // From here to the commit nothing is waited for but rows. Dying at any line leaves the version of before.
        await fill(transaction);
        await StepCatalogueRows.WriteAsync(connection, catalogue, cancellationToken);
        var wanted = Subscriptions.Of(catalogue, configuration);
        var ended = await StepCatalogueRows.SubscribeAsync(connection, wanted, cancellationToken);
        await SetDefaultsAsync(connection, cancellationToken);
        await RefuseTemporaryTablesAsync(connection, cancellationToken);
        await deployed.DeployAsync(connection, retired, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        foreach (var subscription in ended)
            DeploymentLog.SubscriptionEnded(logger, subscription.Queue, subscription.Exchange);

        // On a connection of its own: it is asked between calls to another server, each of which may take its time.
        async Task<bool> AreOthersConnectedAsync()
        {
            await using var look = await database.OpenConnectionAsync(cancellationToken);
            return (await deployed.OtherBuildsAsync(look, retired, cancellationToken)).Count > 0;
        }
    }

    private async Task TakeTurnAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using (var attempt = new NpgsqlCommand("select pg_try_advisory_xact_lock($1)", connection))
        {
            attempt.Parameters.Add(new NpgsqlParameter<long> { TypedValue = DeploymentLock });
            if (await attempt.ExecuteScalarAsync(cancellationToken) is true)
                return;
        }

        await using (var holder = new NpgsqlCommand(Holder, connection))
        {
            holder.Parameters.Add(new NpgsqlParameter<long> { TypedValue = DeploymentLock });
            var other = await holder.ExecuteScalarAsync(cancellationToken) as string;
            DeploymentLog.WaitingForOther(logger, other ?? "ending just now");
        }

        await ExecuteAsync(connection, $"select pg_advisory_xact_lock({DeploymentLock})", cancellationToken);
    }

    // A migration of a large table takes minutes, and may wait as long for its lock. The time limits that every
    // connection here has are for statements that many wait for.
    // The context's connection is held open, so that the settings hold for all migrations, and is given back without
    // them.
    private async Task MigrateAsync(CancellationToken cancellationToken)
    {
        context.Database.SetCommandTimeout(TimeSpan.Zero);
        await context.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            await context.Database.ExecuteSqlRawAsync(
                "set lock_timeout = 0; set idle_in_transaction_session_timeout = 0",
                cancellationToken
            );
            await RefuseForeignSchemaAsync(cancellationToken);
            var pending = (await context.Database.GetPendingMigrationsAsync(cancellationToken)).ToArray();
            await context.Database.MigrateAsync(cancellationToken);
            await FrameworkSql.ApplyAsync((NpgsqlConnection)context.Database.GetDbConnection(), cancellationToken);
            DeploymentLog.DatabaseDeployed(
                logger,
                (await context.Database.GetAppliedMigrationsAsync(cancellationToken)).Last(),
                pending.Length
            );
            await context.Database.ExecuteSqlRawAsync(
                "reset lock_timeout; reset idle_in_transaction_session_timeout",
                cancellationToken
            );
        }
        finally
        {
            await context.Database.CloseConnectionAsync();
        }
    }

    // For each session from now on, whoever opens it. As start-up options of the connection they would not pass a
    // pooler.
    // A stuck twin on the same message, key or order must not pin a slot for ever; 55P03 is a transient fault and the
    // message comes again.
    private static Task SetDefaultsAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        ExecuteAsync(
            connection,
            """
            do $do$ declare
                setting text[];
            begin
                foreach setting slice 1 in array
                    array[['lock_timeout', '5s'], ['idle_in_transaction_session_timeout', '30s']]
                loop
                    if not exists (select from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
                        where d.datname = current_database() and s.setrole = 0
                            and format('%s=%s', setting[1], setting[2]) = any(s.setconfig))
                    then
                        execute format('alter database %I set %I = %L', current_database(), setting[1], setting[2]);
                    end if;
                end loop;
            end $do$
            """,
            cancellationToken
        );

    // PostgreSQL lets everybody make them, and they fill the disk like any other. No process of any build uses one.
    private static Task RefuseTemporaryTablesAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        ExecuteAsync(
            connection,
            """
            do $do$ begin
                if exists (select from pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x
                    where d.datname = current_database() and x.grantee = 0 and x.privilege_type = 'TEMPORARY')
                then
                    execute format('revoke temporary on database %I from public', current_database());
                end if;
            end $do$
            """,
            cancellationToken
        );

    // Migrating on top of a schema that this build knows nothing of would fail half-way, or succeed and lose data.
    // Nothing is dropped: whose data it is decides the operator.
    private async Task RefuseForeignSchemaAsync(CancellationToken cancellationToken)
    {
        var known = context.Database.GetMigrations().ToHashSet(StringComparer.Ordinal);
        var unknown = (await context.Database.GetAppliedMigrationsAsync(cancellationToken))
            .Where(id => !known.Contains(id))
            .ToArray();
        new ConfigurationProblems()
            .Require(
                unknown.Length == 0,
                $"Expected an empty database or one that this build has deployed, found {unknown.Length} migrations of another build (the first is {unknown.FirstOrDefault()}) in "
                    + $"database '{context.Database.GetDbConnection().Database}'; nothing was changed. Deploy with the build that made it, or point ConnectionStrings__Postgres to a new "
                    + "database. In the demo, `./dev down --volumes` deletes the old database with all its data."
            )
            .ThrowIfAny();
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
