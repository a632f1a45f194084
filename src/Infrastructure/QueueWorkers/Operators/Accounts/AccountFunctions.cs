using QueueWorkers.Operators.Keys;

namespace QueueWorkers.Operators.Accounts;

/// <summary>
/// How accounts and keys are changed: by functions of the database's owner. The dashboard's role may run them, but may
/// not write the tables. Each function takes the secret of the acting admin, a session's or a key's, of which the
/// tables hold only the hash; it writes the audit row in the same transaction and leaves at least one admin who can log in.
/// A migration runs <see cref="Sql"/>.
/// </summary>
public static class AccountFunctions
{
    private static readonly KeyChangeFunctions KeyChanges = new("operator_key", "operator_keys", "name", "an operator")
    {
        Check = "perform operator_admin_stays();",
    };

    /// <summary>What the dashboard's role may run.</summary>
    public static IReadOnlyList<string> Grants { get; } =
    [
        "select on operator_keys",
        "select, delete, update (idle_until) on operator_sessions",
        "execute on function operator_create(bytea, text, text, smallint, text)",
        "execute on function operator_change(bytea, text, text, integer, smallint, boolean, text)",
        "execute on function operator_own_password(bytea, bytea, text)",
        "execute on function operator_key_create(bytea, text, text, uuid, bytea, text, timestamptz)",
        .. KeyChanges.Grants,
        "execute on function operator_session_begin(text, bytea, bytea, interval, interval)",
        "execute on function operator_session_begin_external(text, text, smallint, bytea, interval, interval)",
    ];

    /// <summary>Makes the functions, and closes them to everybody else.</summary>
    public static string Sql => string.Join('\n', Acting, Accounts, Keys, KeyChanges.Sql, Sessions, Closed);

    // Who acts. Two admins at once take turns: the second one is looked at after the first one's change.
    private static string Acting =>
        $"""
            create function operator_acting(secret bytea, by_provider_too boolean) returns text
            language plpgsql security definer set search_path = public, pg_temp as $$
            declare
                acting text;
                by_provider boolean := false;
            begin
                perform pg_advisory_xact_lock(x'4f72646572730004'::bigint);
                select o.name into acting from operator_keys k join operators o on o.name = k.name
                    where k.hash = sha256(secret) and k.revoked_at is null
                        and (k.expires_at is null or k.expires_at > now())
                        and o.disabled_at is null and o.role = {OperatorRole.Admin:D};
                if acting is null then
                    select o.name, s.external into acting, by_provider
                        from operator_sessions s join operators o on o.name = s.name
                        where s.hash = sha256(secret) and s.expires_at > now() and s.idle_until > now()
                            and o.disabled_at is null and o.role = {OperatorRole.Admin:D};
                end if;
                if acting is null then
                    raise exception 'Only an admin may do this, and your session or key is not one of an admin any more. Log in again.'
                        using errcode = 'OP403';
                elsif by_provider and not by_provider_too then
                    raise exception 'You are logged in by the identity provider. Accounts of operators are changed by an admin with a password or a key of this installation.'
                        using errcode = 'OP403';
                end if;
                return acting;
            end $$;

            create function operator_record(acting text, did text, what text, why text) returns void
            language plpgsql security definer set search_path = public, pg_temp as $$
            begin
                if why is null or length(trim(why)) not between 1 and 500 then
                    raise exception 'Say why, in 1 to 500 characters: it goes into the audit record.' using errcode = 'OP400';
                end if;
                insert into audit (who, role, action, target, reason, result)
                    values (acting, '{nameof(OperatorRole.Admin)}', did, what, why, 'done');
            end $$;

            create function operator_admin_stays() returns void
            language plpgsql security definer set search_path = public, pg_temp as $$
            begin
                if not exists (select from operators o where o.role = {OperatorRole.Admin:D} and o.disabled_at is null
                    and o.external_id is null and (o.password_hash is not null or exists (
                        select from operator_keys k where k.name = o.name and k.revoked_at is null and k.expires_at is null)))
                then
                    raise exception 'This would lock the last admin out. Expected another enabled admin with a password or a key that does not expire; make one first.'
                        using errcode = 'OP409';
                end if;
            end $$;
            """;

    private static string Accounts =>
        $"""
            create function operator_create(secret bytea, why text, account text, new_role smallint, new_password text)
            returns void language plpgsql security definer set search_path = public, pg_temp as $$
            declare
                acting text := operator_acting(secret, false);
            begin
                insert into operators (name, role, password_hash) values (account, new_role, new_password)
                    on conflict (name) do nothing;
                if not found then
                    raise exception 'There is an operator ''%'' already; choose another name.', account using errcode = 'OP409';
                end if;
                perform operator_record(acting, 'create-operator', format('operator %s: %s', account, {NameOf(
                "new_role"
            )}), why);
            end $$;

            create function operator_change(secret bytea, why text, account text, seen integer, new_role smallint,
                new_disabled boolean, new_password text)
            returns integer language plpgsql security definer set search_path = public, pg_temp as $$
            declare
                acting text := operator_acting(secret, false);
                was operators;
                made integer;
            begin
                select * into was from operators o where o.name = account for update;
                if not found then
                    raise exception 'There is no operator ''%''.', account using errcode = 'OP404';
                elsif seen <> was.version then
                    raise exception 'Somebody else has changed operator ''%'' since you looked. Look again, then repeat.', account
                        using errcode = 'OP409';
                elsif was.external_id is not null and (new_role is not null or new_password is not null) then
                    raise exception 'Operator ''%'' comes from the identity provider. Change role and password there.', account
                        using errcode = 'OP409';
                end if;
                update operators o set role = coalesce(new_role, o.role),
                        disabled_at = case when new_disabled then coalesce(o.disabled_at, now())
                            when new_disabled is null then o.disabled_at end,
                        password_hash = coalesce(new_password, o.password_hash), version = o.version + 1
                    where o.name = account returning o.version into made;
                perform operator_admin_stays();
                delete from operator_sessions s where s.name = account and s.hash <> sha256(secret);
                if new_disabled then
                    delete from operator_sessions s where s.name = account;
                end if;
                perform operator_record(acting,
                    case when new_role is not null then 'change-role' when new_disabled then 'disable-operator'
                        when new_disabled is not null then 'enable-operator' else 'reset-password' end,
                    format('operator %s', account) || case when new_role is null then '' else ': ' || {NameOf(
                "new_role"
            )} end, why);
                return made;
            end $$;

            create function operator_own_password(secret bytea, proof bytea, new_password text) returns boolean
            language plpgsql security definer set search_path = public, pg_temp as $$
            declare
                was operators;
            begin
                select o.* into was from operator_sessions s join operators o on o.name = s.name
                    where s.hash = sha256(secret) and s.expires_at > now() and s.idle_until > now()
                        and o.disabled_at is null and not s.external;
                if not found then
                    raise exception 'Your session has ended, or the identity provider holds your password.' using errcode = 'OP403';
                end if;
                update operators o set password_hash = new_password, version = o.version + 1 where o.name = was.name
                    and o.password_hash = was.password_hash
                    and split_part(was.password_hash, '$', 4) = encode(sha256(proof), 'base64');
                if not found then
                    return false;
                end if;
                delete from operator_sessions s where s.name = was.name and s.hash <> sha256(secret);
                insert into audit (who, role, action, target, result)
                    values (was.name, {NameOf(
                "was.role"
            )}, 'change-own-password', format('operator %s', was.name), 'done');
                return true;
            end $$;
            """;

    private static string Keys =>
        $"""
            create function operator_key_create(secret bytea, why text, account text, id uuid, hash bytea, hint text,
                expires timestamptz)
            returns void language plpgsql security definer set search_path = public, pg_temp as $$
            declare
                acting text := operator_acting(secret, false);
            begin
                if not exists (select from operators o where o.name = account and o.external_id is null) then
                    raise exception 'There is no operator ''%'' of this installation.', account using errcode = 'OP404';
                end if;
                insert into operator_keys (id, name, hash, hint, expires_at) values (id, account, hash, hint, expires);
                perform operator_record(acting, 'create-operator-key', format('key %s… of operator %s', hint, account),
                why);
            end $$;
            """;

    // The proof is what PBKDF2 makes of the password; stored is its hash (OperatorPassword).
    private static string Sessions =>
        $"""
            create function operator_session_begin(account text, proof bytea, session_hash bytea, lifetime interval, idle interval)
            returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
            begin
                insert into operator_sessions (hash, name, expires_at, idle_until, external)
                    select session_hash, o.name, now() + lifetime, now() + least(idle, lifetime), false from operators o
                    where o.name = account and o.disabled_at is null
                        and split_part(o.password_hash, '$', 4) = encode(sha256(proof), 'base64')
                    for share of o;
                return found;
            end $$;

            create function operator_session_begin_external(external_identity text, account text, new_role smallint,
                session_hash bytea, lifetime interval, idle interval)
            returns text language plpgsql security definer set search_path = public, pg_temp as $$
            declare
                was operators;
            begin
                select * into was from operators o where o.external_id = external_identity for update;
                if not found then
                    insert into operators as o (name, role, external_id) values (account, new_role, external_identity)
                        on conflict do nothing returning * into was;
                    if not found then
                        raise exception 'There is another operator ''%'' here. An admin has to disable that one and choose another name for you at the identity provider.', account
                            using errcode = 'OP409';
                    end if;
                    insert into audit (who, role, action, target, result)
                        values (was.name, {NameOf(
                "new_role"
            )}, 'create-operator',
                        format('operator %s of the identity provider', was.name), 'done');
                elsif was.disabled_at is not null then
                    raise exception 'Operator ''%'' is disabled here.', was.name using errcode = 'OP403';
                elsif was.role <> new_role then
                    update operators o set role = new_role, version = o.version + 1 where o.name = was.name;
                    delete from operator_sessions s where s.name = was.name;
                    insert into audit (who, role, action, target, result)
                        values (was.name, {NameOf(
                "new_role"
            )}, 'change-role',
                        format('operator %s, by the identity provider', was.name), 'done');
                end if;
                insert into operator_sessions (hash, name, expires_at, idle_until, external)
                    values (session_hash, was.name, now() + lifetime, now() + least(idle, lifetime), true);
            return was.name;
            end $$;
            """;

    // PostgreSQL lets everybody run a function unless told otherwise; the deployment grants what Grants says.
    private const string Closed = """
        do $do$ declare
            made regprocedure;
        begin
            for made in select p.oid from pg_proc p
                where p.pronamespace = 'public'::regnamespace and starts_with(p.proname, 'operator_')
            loop
                execute format('revoke all on function %s from public', made);
            end loop;
        end $do$;
        """;

    private static string NameOf(string role) =>
        $"(case {role} {string.Join(' ', Enum.GetValues<OperatorRole>().Select(r => $"when {r:D} then '{r}'"))} end)";
}
