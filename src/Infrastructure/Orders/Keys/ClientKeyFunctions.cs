using QueueWorkers.Operators.Keys;

namespace Orders.Infrastructure.Keys;

/// <summary>
/// How keys of API clients are made and ended: by functions of the database's owner, as accounts of operators are, see
/// <see cref="QueueWorkers.Operators.Accounts.AccountFunctions"/>. The dashboard's role may run them and read what they
/// wrote, without the hashes.
/// </summary>
internal static class ClientKeyFunctions
{
    private static readonly KeyChangeFunctions Changes = new("api_key", "api_keys", "client_id", "a client")
    {
        ByProviderToo = true,
        Copied = [("scopes", "was.scopes"), ("created_at", "now()")],
    };

    /// <summary>What the dashboard's role may do.</summary>
    public static IReadOnlyList<string> Grants { get; } =
    [
        "select (id, client_id, hint, scopes, created_at, expires_at, revoked_at, replaced_by) on api_keys",
        "execute on function api_key_create(bytea, text, text, uuid, bytea, text, text[], timestamptz)",
        .. Changes.Grants,
    ];

    /// <summary>Makes the functions; the migration runs it behind those of the accounts.</summary>
    public static string Sql =>
        string.Join(
            '\n',
            Creation,
            Changes.Sql,
            $"revoke all on function {Changes.Rotation}, {Changes.Revocation} from public;"
        );

    private const string Creation = """
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

        revoke all on function api_key_create(bytea, text, text, uuid, bytea, text, text[], timestamptz) from public;
        """;
}
