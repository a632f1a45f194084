using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Npgsql;
using QueueWorkers.Steps;

namespace QueueWorkers.Deployment;

/// <summary>The roles of all processes that this deployment looks after: those whose password it was given.</summary>
internal sealed class DatabaseRoles
{
    private const string Pooler = "pooler";

    // What PgBouncer asks before it lets a process in (deploy/pgbouncer). Only for the processes' own roles, and only
    // for that one user.
    private const string PoolerFunction = """
        create or replace function pooler_login(name text) returns table (usename name, passwd text) language sql
            security definer set search_path = pg_catalog as
        $f$ select rolname, rolpassword from pg_authid
            where rolname = name and rolname like 'orders\_%' and rolcanlogin and not rolsuper $f$;
        revoke all on function pooler_login(text) from public
        """;

    private static readonly IReadOnlyList<string> PoolerGrants = ["execute on function pooler_login(text)"];

    private readonly Dictionary<string, string> _passwords = [];
    private readonly Dictionary<string, IReadOnlyList<DatabaseRight>> _rights = [];
    private readonly HashSet<string> _processes;
    private readonly ILogger _logger;

    /// <summary>Reads what each role has to be allowed.</summary>
    /// <exception cref="FormatException">A grant cannot be read.</exception>
    public DatabaseRoles(IDatabaseRoles roles, StepCatalogue catalogue, IConfiguration configuration, ILogger logger)
    {
        _logger = logger;
        foreach (var (process, grants) in roles.RolesOf(catalogue).Append((Process: Pooler, Grants: PoolerGrants)))
        {
            if (ProcessCredentials.DatabasePassword(configuration, process) is not { } password)
                continue;
            var role = ProcessCredentials.UserOf(process);
            _passwords[role] = password;
            _rights[role] = [.. grants.Append("usage on schema public").SelectMany(DatabaseRight.Parse)];
        }

        _processes = [.. roles.RolesOf(catalogue).Select(r => r.Process), Pooler];
    }

    private bool HasPooler => _passwords.ContainsKey(ProcessCredentials.UserOf(Pooler));

    /// <summary>Creates the roles that are missing, without rights, before the transaction.</summary>
    public Task CreateAsync(NpgsqlDataSource database, CancellationToken cancellationToken) =>
        RoleLogins.CreateAsync(database, _passwords, cancellationToken);

    /// <summary>
    /// The steps that an earlier deployment has retired. Those that this one retires are not among them: their workers
    /// may still have to empty their queues, and none of them need be connected at this moment.
    /// </summary>
    public async Task<IReadOnlyList<string>> RetiredAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            "select array(select step from step_catalogue where not active and step <> all($1))",
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. _processes] });
        return (string[])(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>The roles that processes of another build use at this moment, each with those processes.</summary>
    public Task<IReadOnlyDictionary<string, string>> OtherBuildsAsync(
        NpgsqlConnection connection,
        IReadOnlyList<string> retired,
        CancellationToken cancellationToken
    ) => DatabaseRights.OtherBuildsAsync(connection, [.. _processes, .. retired], cancellationToken);

    /// <summary>Gives the roles their passwords and rights, in the caller's transaction.</summary>
    /// <param name="connection">In the transaction of the deployment.</param>
    /// <param name="retired">Steps whose roles need nothing more.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task DeployAsync(
        NpgsqlConnection connection,
        IReadOnlyList<string> retired,
        CancellationToken cancellationToken
    )
    {
        if (HasPooler)
        {
            await using var command = new NpgsqlCommand(PoolerFunction, connection) { CommandTimeout = 0 };
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        await RoleLogins.SetPasswordsAsync(connection, _passwords, cancellationToken);
        var rights = new Dictionary<string, IReadOnlyList<DatabaseRight>>(_rights);
        foreach (var step in retired)
            rights.TryAdd(ProcessCredentials.UserOf(step), []);
        var others = await OtherBuildsAsync(connection, retired, cancellationToken);
        var change = await DatabaseRights.ApplyAsync(connection, rights, others.Keys.ToHashSet(), cancellationToken);
        Report(rights.Keys, others, change);
    }

    private void Report(IEnumerable<string> roles, IReadOnlyDictionary<string, string> others, RightsChange change)
    {
        foreach (var role in roles)
        {
            if (_rights.ContainsKey(role) || change.Revoked[role].Any())
                DeploymentLog.RoleDeployed(
                    _logger,
                    role,
                    change.Granted[role].Count(),
                    string.Join(", ", change.Revoked[role].DefaultIfEmpty("none"))
                );
            if (change.Kept[role].Any())
                DeploymentLog.RightsKept(_logger, role, string.Join(", ", change.Kept[role]), others[role]);
        }
    }
}
