namespace QueueWorkers.Operators.Keys;

/// <summary>
/// The SQL functions that rotate and revoke keys of one kind: those of operators, or those of an application's clients.
/// They write the audit row in the same transaction, as those of accounts do.
/// </summary>
/// <param name="Kind">What the functions' names begin with, such as <c>operator_key</c>.</param>
/// <param name="Table">The table of the keys.</param>
/// <param name="Owner">The column that names whose key it is.</param>
/// <param name="Of">What the owner is called, such as <c>operator</c>.</param>
public sealed record KeyChangeFunctions(string Kind, string Table, string Owner, string Of)
{
    /// <summary>Whether an admin who was logged in by an identity provider may change them too.</summary>
    public bool ByProviderToo { get; init; }

    /// <summary>Columns of a new key besides, and what they get: those of the old one are <c>was.</c> ones.</summary>
    public IReadOnlyList<(string Column, string Value)> Copied { get; init; } = [];

    /// <summary>What must hold after a change, as a statement; null for nothing.</summary>
    public string? Check { get; init; }

    /// <summary>What the dashboard's role may run.</summary>
    public IReadOnlyList<string> Grants => [$"execute on function {Rotation}", $"execute on function {Revocation}"];

    /// <summary>The functions' signatures, for grants.</summary>
    public string Rotation => $"{Kind}_rotate(bytea, text, uuid, uuid, bytea, text, interval, timestamptz)";

    /// <summary>As <see cref="Rotation"/>.</summary>
    public string Revocation => $"{Kind}_revoke(bytea, text, uuid)";

    /// <summary>Makes the functions.</summary>
    public string Sql =>
        $"""
            create function {Kind}_rotate(secret bytea, why text, key_id uuid, new_id uuid, new_hash bytea,
                new_hint text, overlap interval, expires timestamptz)
            returns text language plpgsql security definer set search_path = public, pg_temp as $$
            declare
                acting text := operator_acting(secret, {(ByProviderToo ? "true" : "false")});
                was {Table};
            begin
                select * into was from {Table} k where k.id = key_id for update;
                if not found then
                    raise exception 'There is no key % of {Of}.', key_id using errcode = 'OP404';
                elsif was.revoked_at is not null or was.expires_at <= now() then
                    raise exception 'Key % is not valid any more; make a new one instead.', key_id
                        using errcode = 'OP409';
                elsif was.replaced_by is not null then
                    raise exception 'Key % was rotated already; its successor is %.', key_id, was.replaced_by
                        using errcode = 'OP409';
                end if;
                insert into {Table} (id, {Owner}, hash, hint, expires_at{Each(c => c.Column)})
                    values (new_id, was.{Owner}, new_hash, new_hint, expires{Each(c => c.Value)});
                update {Table} k set replaced_by = new_id, expires_at = least(k.expires_at, now() + overlap)
                    where k.id = key_id;
                {Check}
                perform operator_record(acting, 'rotate-{Kind.Replace('_', '-')}',
                    format('key %s… of {Noun} %s', was.hint, was.{Owner}), why);
                return was.{Owner};
            end $$;

            create function {Kind}_revoke(secret bytea, why text, key_id uuid)
            returns text language plpgsql security definer set search_path = public, pg_temp as $$
            declare
                acting text := operator_acting(secret, {(ByProviderToo ? "true" : "false")});
                was {Table};
            begin
                select * into was from {Table} k where k.id = key_id for update;
                if not found then
                    raise exception 'There is no key % of {Of}.', key_id using errcode = 'OP404';
                elsif was.revoked_at is not null then
                    raise exception 'Key % is revoked already.', key_id using errcode = 'OP409';
                end if;
                update {Table} k set revoked_at = now() where k.id = key_id;
                {Check}
                perform operator_record(acting, 'revoke-{Kind.Replace('_', '-')}',
                    format('key %s… of {Noun} %s', was.hint, was.{Owner}), why);
                return was.{Owner};
            end $$;
            """;

    private string Noun => Of[(Of.LastIndexOf(' ') + 1)..];

    private string Each(Func<(string Column, string Value), string> part) =>
        string.Concat(Copied.Select(column => $", {part(column)}"));
}
