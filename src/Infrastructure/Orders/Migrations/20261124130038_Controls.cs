using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Orders.Infrastructure.Orders.Migrations
{
    /// <inheritdoc />
    public partial class Controls : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "breakers",
                columns: table => new
                {
                    dependency = table.Column<string>(type: "text", nullable: false),
                    state = table.Column<short>(type: "smallint", nullable: false),
                    forced = table.Column<short>(type: "smallint", nullable: true),
                    opened_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    retry_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    probe_by = table.Column<Guid>(type: "uuid", nullable: true),
                    probe_until = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    trips = table.Column<int>(type: "integer", nullable: false),
                    reason = table.Column<string>(type: "text", nullable: false, defaultValue: ""),
                    changed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_breakers", x => x.dependency);
                });

            migrationBuilder.CreateTable(
                name: "dependency_calls",
                columns: table => new
                {
                    dependency = table.Column<string>(type: "text", nullable: false),
                    slice = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    calls = table.Column<int>(type: "integer", nullable: false),
                    failures = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_dependency_calls", x => new { x.dependency, x.slice });
                });

            migrationBuilder.CreateTable(
                name: "rate_buckets",
                columns: table => new
                {
                    name = table.Column<string>(type: "text", nullable: false),
                    next_slot = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    return_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_rate_buckets", x => x.name);
                });

            migrationBuilder.CreateTable(
                name: "step_controls",
                columns: table => new
                {
                    step = table.Column<string>(type: "text", nullable: false),
                    paused = table.Column<bool>(type: "boolean", nullable: false),
                    replica_limit = table.Column<int>(type: "integer", nullable: true),
                    total_limit = table.Column<int>(type: "integer", nullable: true),
                    rates = table.Column<string>(type: "text", nullable: true),
                    changed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    changed_by = table.Column<string>(type: "text", nullable: false, defaultValue: ""),
                    reason = table.Column<string>(type: "text", nullable: false, defaultValue: "")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_step_controls", x => x.step);
                });

            migrationBuilder.CreateTable(
                name: "workers",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    host = table.Column<string>(type: "text", nullable: false),
                    process_id = table.Column<int>(type: "integer", nullable: false),
                    version = table.Column<string>(type: "text", nullable: false),
                    steps = table.Column<string[]>(type: "text[]", nullable: false),
                    running = table.Column<int>(type: "integer", nullable: false),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    last_seen_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    stopped_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_workers", x => x.id);
                });

            migrationBuilder.CreateIndex(
                name: "ix_rate_buckets_next_slot",
                table: "rate_buckets",
                column: "next_slot");

            migrationBuilder.CreateIndex(
                name: "ix_workers_last_seen_at",
                table: "workers",
                column: "last_seen_at");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "breakers");

            migrationBuilder.DropTable(
                name: "dependency_calls");

            migrationBuilder.DropTable(
                name: "rate_buckets");

            migrationBuilder.DropTable(
                name: "step_controls");

            migrationBuilder.DropTable(
                name: "workers");
        }
    }
}
