using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Orders.Infrastructure.Orders.Migrations
{
    /// <inheritdoc />
    public partial class Operators : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "audit",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false),
                    at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    who = table.Column<string>(type: "text", nullable: false),
                    role = table.Column<string>(type: "text", nullable: false),
                    action = table.Column<string>(type: "text", nullable: false),
                    target = table.Column<string>(type: "text", nullable: true),
                    filter = table.Column<string>(type: "jsonb", nullable: true),
                    count = table.Column<long>(type: "bigint", nullable: true),
                    reason = table.Column<string>(type: "text", nullable: true),
                    result = table.Column<string>(type: "text", nullable: false),
                    previous_hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    hash = table.Column<byte[]>(type: "bytea", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_audit", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "operators",
                columns: table => new
                {
                    name = table.Column<string>(type: "text", nullable: false),
                    role = table.Column<short>(type: "smallint", nullable: false),
                    password_hash = table.Column<string>(type: "text", nullable: true),
                    key_hash = table.Column<byte[]>(type: "bytea", nullable: true),
                    failed_tries = table.Column<int>(type: "integer", nullable: false),
                    locked_until = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    disabled_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_operators", x => x.name);
                });

            migrationBuilder.CreateIndex(
                name: "ix_audit_who_id",
                table: "audit",
                columns: new[] { "who", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_operators_key_hash",
                table: "operators",
                column: "key_hash",
                unique: true);
            // Numbers and chains each row while nobody else writes one, and refuses every change: see AuditTable.
            migrationBuilder.Sql("""
                create function audit_hash(id bigint, at timestamptz, who text, role text, action text, target text, filter jsonb, count bigint, reason text, result text, previous bytea)
                returns bytea language sql immutable as $$
                    select sha256(previous || convert_to(jsonb_build_array(id, extract(epoch from at), who, role, action, target, filter, count, reason, result)::text, 'UTF8')) $$;

                create function audit_chain() returns trigger language plpgsql as $$
                begin
                    -- Held until the commit: the next writer sees this row or, after a rollback, its predecessor.
                    perform pg_advisory_xact_lock(x'4f72646572730002'::bigint);
                    new.at := clock_timestamp();
                    select a.id + 1, a.hash into new.id, new.previous_hash from audit a order by a.id desc limit 1;
                    new.id := coalesce(new.id, 1);
                    new.previous_hash := coalesce(new.previous_hash, ''::bytea);
                    new.hash := audit_hash(new.id, new.at, new.who, new.role, new.action, new.target, new.filter, new.count, new.reason, new.result, new.previous_hash);
                    return new;
                end $$;

                create function audit_unchanged() returns trigger language plpgsql as $$
                begin
                    raise exception 'The audit record is insert-only: % is refused.', tg_op;
                end $$;

                create trigger audit_chain before insert on audit for each row execute function audit_chain();
                create trigger audit_unchanged before update or delete or truncate on audit for each statement execute function audit_unchanged();
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("drop table audit; drop function audit_chain(), audit_unchanged(), audit_hash(bigint, timestamptz, text, text, text, text, jsonb, bigint, text, text, bytea)");

            migrationBuilder.DropTable(
                name: "operators");
        }
    }
}
