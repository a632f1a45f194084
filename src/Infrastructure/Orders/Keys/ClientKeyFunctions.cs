namespace Orders.Infrastructure.Keys;

/// <summary>
/// How keys of API clients are made and ended: by functions of the database's owner, as accounts of operators are, see
/// <see cref="QueueWorkers.Operators.Accounts.AccountFunctions"/>. The dashboard's role may run them and read what they
/// wrote, without the hashes.
/// </summary>
internal static class ClientKeyFunctions
{
    /// <summary>What the dashboard's role may do.</summary>
    public static IReadOnlyList<string> Grants { get; } =
    [
        "select (id, client_id, hint, scopes, created_at, expires_at, revoked_at, replaced_by) on api_keys",
        "execute on function api_key_create(bytea, text, text, uuid, bytea, text, text[], timestamptz)",
        "execute on function api_key_rotate(bytea, text, uuid, uuid, bytea, text, interval, timestamptz)",
        "execute on function api_key_revoke(bytea, text, uuid)",
    ];

    /// <summary>Makes the functions; the migration runs it behind those of the accounts.</summary>
    public const string Sql = """
        create function api_key_create(secret bytea, why text, client text, key_id uuid, new_hash bytea, new_hint text,
            new_scopes text[], expires timestamptz)
        returns void language plpgsql security definer set search_path = public, pg_temp as $$
        declare
            acting text := operator_acting(secret, true);
        begin
            insert into api_keys (id, client_id, hash, hint, scopes, created_at, expires_at)
                values (key_id, client, new_hash, new_hint, new_scopes, now(), expires);
            perform operator_record(acting, 'create-api-key',
                format('key %s… of client %s: %s', new_hint, client, array_to_string(new_scopes, ' ')), why);
        end $$;

        create function api_key_rotate(secret bytea, why text, key_id uuid, new_id uuid, new_hash bytea, new_hint text,
            overlap interval, expires timestamptz)
        returns text language plpgsql security definer set search_path = public, pg_temp as $$
        declare
            acting text := operator_acting(secret, true);
            was api_keys;
        begin
            select * into was from api_keys k where k.id = key_id for update;
            if not found then
                raise exception 'There is no key % of a client.', key_id using errcode = 'OP404';
            elsif was.revoked_at is not null or was.expires_at <= now() then
                raise exception 'Key % is not valid any more; make a new one instead.', key_id using errcode = 'OP409';
            elsif was.replaced_by is not null then
                raise exception 'Key % was rotated already; its successor is %.', key_id, was.replaced_by
                    using errcode = 'OP409';
            end if;
            insert into api_keys (id, client_id, hash, hint, scopes, created_at, expires_at)
                values (new_id, was.client_id, new_hash, new_hint, was.scopes, now(), expires);
            update api_keys k set replaced_by = new_id, expires_at = least(k.expires_at, now() + overlap)
                where k.id = key_id;
            perform operator_record(acting, 'rotate-api-key',
                format('key %s… of client %s', was.hint, was.client_id), why);
            return was.client_id;
        end $$;

        create function api_key_revoke(secret bytea, why text, key_id uuid)
        returns text language plpgsql security definer set search_path = public, pg_temp as $$
        declare
            acting text := operator_acting(secret, true);
            was api_keys;
        begin
            select * into was from api_keys k where k.id = key_id for update;
            if not found then
                raise exception 'There is no key % of a client.', key_id using errcode = 'OP404';
            elsif was.revoked_at is not null then
                raise exception 'Key % is revoked already.', key_id using errcode = 'OP409';
            end if;
            update api_keys k set revoked_at = now() where k.id = key_id;
            perform operator_record(acting, 'revoke-api-key',
                format('key %s… of client %s', was.hint, was.client_id), why);
            return was.client_id;
        end $$;

        revoke all on function api_key_create(bytea, text, text, uuid, bytea, text, text[], timestamptz),
            api_key_rotate(bytea, text, uuid, uuid, bytea, text, interval, timestamptz),
            api_key_revoke(bytea, text, uuid) from public;
        """;
}
