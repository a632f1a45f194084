using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Orders.Infrastructure.Orders.Migrations
{
    /// <inheritdoc />
    public partial class Failures : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "failures",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    state = table.Column<short>(type: "smallint", nullable: false),
                    kind = table.Column<short>(type: "smallint", nullable: false),
                    queue = table.Column<string>(type: "text", nullable: false),
                    identity = table.Column<Guid>(type: "uuid", nullable: false),
                    generation = table.Column<int>(type: "integer", nullable: false),
                    copies = table.Column<int>(type: "integer", nullable: false),
                    message_id = table.Column<Guid>(type: "uuid", nullable: false),
                    step = table.Column<string>(type: "text", nullable: true),
                    message_type = table.Column<string>(type: "text", nullable: true),
                    subject_id = table.Column<Guid>(type: "uuid", nullable: true),
                    fault_type = table.Column<string>(type: "text", nullable: false),
                    fault_message = table.Column<string>(type: "text", nullable: false),
                    stack = table.Column<string>(type: "text", nullable: true),
                    fingerprint = table.Column<string>(type: "text", nullable: false),
                    attempts = table.Column<int>(type: "integer", nullable: false),
                    first_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    last_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    build = table.Column<string>(type: "text", nullable: true),
                    host = table.Column<string>(type: "text", nullable: true),
                    payload = table.Column<string>(type: "jsonb", nullable: true),
                    body = table.Column<byte[]>(type: "bytea", nullable: false),
                    content_type = table.Column<string>(type: "text", nullable: false),
                    headers = table.Column<string>(type: "jsonb", nullable: false),
                    priority = table.Column<short>(type: "smallint", nullable: true),
                    removed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    redrive_id = table.Column<Guid>(type: "uuid", nullable: true),
                    closed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    restorable_until = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    note = table.Column<string>(type: "text", nullable: true),
                    edit = table.Column<string>(type: "jsonb", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_failures", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "redrive_items",
                columns: table => new
                {
                    redrive_id = table.Column<Guid>(type: "uuid", nullable: false),
                    failure_id = table.Column<Guid>(type: "uuid", nullable: false),
                    state = table.Column<short>(type: "smallint", nullable: false),
                    generation = table.Column<int>(type: "integer", nullable: true),
                    sent_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    settled_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    payload = table.Column<string>(type: "jsonb", nullable: true),
                    note = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_redrive_items", x => new { x.redrive_id, x.failure_id });
                });

            migrationBuilder.CreateTable(
                name: "redrives",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    stage = table.Column<short>(type: "smallint", nullable: false),
                    created_by = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    reason = table.Column<string>(type: "text", nullable: false),
                    filter = table.Column<string>(type: "jsonb", nullable: false),
                    patch = table.Column<string>(type: "jsonb", nullable: true),
                    canary = table.Column<int>(type: "integer", nullable: false),
                    rate_per_second = table.Column<int>(type: "integer", nullable: false),
                    stop_percent = table.Column<int>(type: "integer", nullable: false),
                    total = table.Column<int>(type: "integer", nullable: false),
                    stopped_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    stopped_because = table.Column<string>(type: "text", nullable: true),
                    moved_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    finished_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_redrives", x => x.id);
                });

            migrationBuilder.CreateIndex(
                name: "failures_archived",
                table: "failures",
                column: "restorable_until",
                filter: "state = 5");

            migrationBuilder.CreateIndex(
                name: "failures_build",
                table: "failures",
                columns: new[] { "build", "id" });

            migrationBuilder.CreateIndex(
                name: "failures_fingerprint",
                table: "failures",
                columns: new[] { "fingerprint", "id" });

            migrationBuilder.CreateIndex(
                name: "failures_identity",
                table: "failures",
                columns: new[] { "queue", "identity", "generation" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "failures_in_queue",
                table: "failures",
                columns: new[] { "queue", "state", "copies" },
                filter: "removed_at is null and state <> 6");

            migrationBuilder.CreateIndex(
                name: "failures_last_at",
                table: "failures",
                column: "last_at");

            migrationBuilder.CreateIndex(
                name: "failures_message",
                table: "failures",
                column: "message_id");

            migrationBuilder.CreateIndex(
                name: "failures_payload",
                table: "failures",
                column: "payload")
                .Annotation("Npgsql:IndexMethod", "gin")
                .Annotation("Npgsql:IndexOperators", new[] { "jsonb_path_ops" });

            migrationBuilder.CreateIndex(
                name: "failures_state",
                table: "failures",
                columns: new[] { "state", "id" });

            migrationBuilder.CreateIndex(
                name: "failures_step",
                table: "failures",
                columns: new[] { "step", "id" });

            migrationBuilder.CreateIndex(
                name: "failures_subject",
                table: "failures",
                columns: new[] { "subject_id", "id" });

            migrationBuilder.CreateIndex(
                name: "redrive_items_outstanding",
                table: "redrive_items",
                column: "failure_id",
                unique: true,
                filter: "state in (1, 2)");

            migrationBuilder.CreateIndex(
                name: "redrive_items_state",
                table: "redrive_items",
                columns: new[] { "redrive_id", "state", "failure_id" });

            migrationBuilder.CreateIndex(
                name: "redrives_open",
                table: "redrives",
                column: "stage",
                filter: "stage <> 4");
            // For text anywhere in a fault's message or a payload. A trusted extension: whoever owns the database may create it.
            migrationBuilder.Sql("create extension if not exists pg_trgm;");
            migrationBuilder.Sql("create index failures_text on failures using gin ((fault_message || ' ' || coalesce(payload::text, '')) gin_trgm_ops);");
            // Operators say InvalidOperationException and OrderAccepted, not their full names.
            migrationBuilder.Sql("create index failures_fault on failures (substring(fault_type from '[^.]+$'), id);");
            migrationBuilder.Sql("create index failures_type on failures (split_part(message_type, ':', 2), id);");
            migrationBuilder.Sql("create index orders_customer on orders (lower(customer_email) text_pattern_ops);");
            // What is no JSON for PostgreSQL (malformed, an escaped NUL, a number beyond all bounds) is kept as bytes only.
            migrationBuilder.Sql("""
                create function try_jsonb(text) returns jsonb language plpgsql immutable parallel safe as $$
                begin
                    return $1::jsonb;
                exception when others then
                    return null;
                end $$;
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("drop index orders_customer; drop function try_jsonb(text);");

            migrationBuilder.DropTable(
                name: "failures");

            migrationBuilder.DropTable(
                name: "redrive_items");

            migrationBuilder.DropTable(
                name: "redrives");
        }
    }
}
