using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Orders.Infrastructure.Orders.Migrations
{
    /// <inheritdoc />
    public partial class CompletenessRequests : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "reemit_asked_at",
                table: "completeness_gaps",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "reemit_asked_by",
                table: "completeness_gaps",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "reemit_result",
                table: "completeness_gaps",
                type: "text",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "reemit_asked_at",
                table: "completeness_gaps");

            migrationBuilder.DropColumn(
                name: "reemit_asked_by",
                table: "completeness_gaps");

            migrationBuilder.DropColumn(
                name: "reemit_result",
                table: "completeness_gaps");
        }
    }
}
