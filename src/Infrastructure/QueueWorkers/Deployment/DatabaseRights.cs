using Npgsql;

namespace QueueWorkers.Deployment;

/// <summary>
/// Makes the rights of the processes' roles what they have to be, by the difference: what a role holds already is not
/// touched, so that deploying the same version again changes nothing. Works in the caller's transaction: others see
/// all of it or nothing.
/// </summary>
internal static class DatabaseRights
{
    // Wanted and held, without what is both. Also rights on single columns, which PostgreSQL keeps apart.
    private const string Difference = """
        with wanted as (
            select w.role, w.kind, w.target, w.col, w.privilege, case w.kind when 'function'
                then to_regprocedure(w.target)::oid when 'schema' then to_regnamespace(w.target)::oid
                else to_regclass(w.target)::oid end as object
            from (select distinct * from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
                as t(role, kind, target, col, privilege)) w),
        acls as (
            select case c.relkind when 'S' then 'sequence' else 'table' end as kind, c.oid as object,
                c.oid::regclass::text as target, '' as col, c.relacl as acl
            from pg_class c where c.relnamespace = 'public'::regnamespace and c.relacl is not null
            union all
            select 'table', c.oid, c.oid::regclass::text, a.attname::text, a.attacl
            from pg_class c join pg_attribute a on a.attrelid = c.oid
            where c.relnamespace = 'public'::regnamespace and a.attacl is not null and not a.attisdropped
            union all
            select 'function', p.oid, p.oid::regprocedure::text, '', p.proacl
            from pg_proc p where p.pronamespace = 'public'::regnamespace and p.proacl is not null
            union all
            select 'schema', n.oid, n.oid::regnamespace::text, '', n.nspacl
            from pg_namespace n where n.nspname = 'public' and n.nspacl is not null),
        held as (
            select r.rolname::text as role, acls.kind, acls.object, acls.target, acls.col, x.privilege_type as privilege
            from acls, aclexplode(acls.acl) x join pg_roles r on r.oid = x.grantee where r.rolname = any($1))
        select role, coalesce(h.kind, w.kind), coalesce(h.target, w.target), quote_ident(col), privilege,
            w.target is null, w.target is not null and object is null
        from wanted w full join held h using (role, object, col, privilege)
        where w.target is null or h.target is null order by 1, 3, 5, 4
        """;

    // Sessions and workers of another build. Who connects under a name of its own counts as one: nobody knows what it
    // needs. A minute without a sign of life: a worker whose network is gone for that long has lost its work anyway.
    private const string OtherBuilds = """
        select role, string_agg(distinct name, ', ' order by name) from (
            select usename::text as role, application_name as name from pg_stat_activity
                where datname = current_database() and not starts_with(application_name, $3)
            union all
            select p.role, format('%s on %s', w.version, w.host) from workers w
                join unnest($1::text[], $2::text[]) as p(process, role) on p.process = any(w.steps)
                where w.stopped_at is null and w.last_seen_at > now() - interval '1 minute' and w.version <> $4) o
        where role = any($2) group by role
        """;

    /// <summary>The roles that processes of another build use at this moment, each with those processes.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> OtherBuildsAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<string> processes,
        CancellationToken cancellationToken
    )
    {
        // Within a transaction PostgreSQL shows the sessions of the first look for ever; others have connected since.
        await using (var forget = new NpgsqlCommand("select pg_stat_clear_snapshot()", connection))
            await forget.ExecuteNonQueryAsync(cancellationToken);
        await using var command = new NpgsqlCommand(OtherBuilds, connection);
        Add(command, processes);
        Add(command, processes.Select(ProcessCredentials.UserOf));
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Hosting.Build.SessionPrefix });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Hosting.Build.Version });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var others = new Dictionary<string, string>();
        while (await reader.ReadAsync(cancellationToken))
            others[reader.GetString(0)] = reader.GetString(1);
        return others;
    }

    /// <summary>Grants what is missing, and revokes what nobody needs any more.</summary>
    /// <param name="connection">In the transaction of the deployment.</param>
    /// <param name="roles">All roles that are looked at, with what each has to be allowed.</param>
    /// <param name="keep">Roles of which nothing is revoked.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>What was granted, what was revoked, and what <paramref name="keep"/> has kept.</returns>
    /// <exception cref="InvalidOperationException">A grant names something that does not exist.</exception>
    public static async Task<RightsChange> ApplyAsync(
        NpgsqlConnection connection,
        IReadOnlyDictionary<string, IReadOnlyList<DatabaseRight>> roles,
        IReadOnlySet<string> keep,
        CancellationToken cancellationToken
    )
    {
        var before = await DifferenceAsync(connection, roles, cancellationToken);
        var surplus = before.Where(d => d.IsSurplus).ToLookup(d => keep.Contains(d.Role));
        RightDifference[] revoked = [.. surplus[false]];
        await ExecuteAsync(connection, revoked, "revoke", "from", cancellationToken);
        // Read once more: revoking a right on a table takes those on its columns along.
        var missing = (revoked.Length == 0 ? before : await DifferenceAsync(connection, roles, cancellationToken))
            .Where(d => !d.IsSurplus)
            .ToArray();
        await ExecuteAsync(connection, missing, "grant", "to", cancellationToken);
        return new RightsChange(Texts(missing), Texts(revoked), Texts(surplus[true]));
    }

    private static ILookup<string, string> Texts(IEnumerable<RightDifference> all) =>
        all.ToLookup(d => d.Role, d => $"{d.PrivilegeText} on {d.Target}");

    private static async Task<IReadOnlyList<RightDifference>> DifferenceAsync(
        NpgsqlConnection connection,
        IReadOnlyDictionary<string, IReadOnlyList<DatabaseRight>> roles,
        CancellationToken cancellationToken
    )
    {
        var wanted = roles.SelectMany(r => r.Value.Select(right => (Role: r.Key, Right: right))).ToArray();
        await using var command = new NpgsqlCommand(Difference, connection) { CommandTimeout = 0 };
        Add(command, roles.Keys);
        Add(command, wanted.Select(w => w.Role));
        Add(command, wanted.Select(w => w.Right.Kind));
        Add(command, wanted.Select(w => w.Right.Target));
        Add(command, wanted.Select(w => w.Right.Column));
        Add(command, wanted.Select(w => w.Right.Privilege));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var all = new List<RightDifference>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var found = new RightDifference(
                reader.GetString(0),
                reader.GetString(1),
                reader.GetString(2),
                reader.GetString(3),
                reader.GetString(4),
                reader.GetBoolean(5)
            );
            if (reader.GetBoolean(6))
                throw new InvalidOperationException(
                    $"Role {found.Role} is to get {found.PrivilegeText} on {found.Kind} {found.Target}, which does not exist; the database keeps the version of before. Add it by a migration, or change the step's Grants."
                );
            all.Add(found);
        }

        return all;
    }

    private static async Task ExecuteAsync(
        NpgsqlConnection connection,
        IReadOnlyList<RightDifference> differences,
        string verb,
        string preposition,
        CancellationToken cancellationToken
    )
    {
        if (differences.Count == 0)
            return;
        var statements = differences
            .GroupBy(d => (d.Role, d.Kind, d.Target))
            .Select(g =>
                $"{verb} {string.Join(", ", g.Select(d => d.PrivilegeText))} on {g.Key.Kind} {g.Key.Target} {preposition} {g.Key.Role}"
            );
        await using var command = new NpgsqlCommand(string.Join(";\n", statements), connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static void Add(NpgsqlCommand command, IEnumerable<string> values) =>
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. values] });

    private sealed record RightDifference(
        string Role,
        string Kind,
        string Target,
        string Column,
        string Privilege,
        bool IsSurplus
    )
    {
        public string PrivilegeText => Column is "" or "\"\"" ? Privilege : $"{Privilege} ({Column})";
    }
}

/// <summary>What a deployment changed in the rights, by role.</summary>
/// <param name="Granted">What was missing.</param>
/// <param name="Revoked">What this version does not need.</param>
/// <param name="Kept">What this version does not need, but processes of another build may.</param>
internal sealed record RightsChange(
    ILookup<string, string> Granted,
    ILookup<string, string> Revoked,
    ILookup<string, string> Kept
);
