using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Orders.Infrastructure.Orders.Migrations
{
    /// <inheritdoc />
    public partial class WorkersAtWork : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "drain_asked_at",
                table: "workers",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "drain_by",
                table: "workers",
                type: "text",
                nullable: false,
                defaultValue: "");

            migrationBuilder.AddColumn<string>(
                name: "drain_reason",
                table: "workers",
                type: "text",
                nullable: false,
                defaultValue: "");

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "drained_at",
                table: "workers",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "runs",
                table: "workers",
                type: "jsonb",
                nullable: false,
                defaultValueSql: "'[]'");

            migrationBuilder.CreateTable(
                name: "step_builds",
                columns: table => new
                {
                    step = table.Column<string>(type: "text", nullable: false),
                    build = table.Column<string>(type: "text", nullable: false),
                    first_seen_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_step_builds", x => new { x.step, x.build });
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "step_builds");

            migrationBuilder.DropColumn(
                name: "drain_asked_at",
                table: "workers");

            migrationBuilder.DropColumn(
                name: "drain_by",
                table: "workers");

            migrationBuilder.DropColumn(
                name: "drain_reason",
                table: "workers");

            migrationBuilder.DropColumn(
                name: "drained_at",
                table: "workers");

            migrationBuilder.DropColumn(
                name: "runs",
                table: "workers");
        }
    }
}
