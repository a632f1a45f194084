using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

#pragma warning disable CA1814 // Prefer jagged arrays over multidimensional

namespace Orders.Infrastructure.Orders.Migrations
{
    /// <inheritdoc />
    public partial class BreakerAlerts : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.InsertData(
                table: "alert_rules",
                columns: new[] { "name", "enabled", "hold", "kind", "silenced_until", "threshold" },
                values: new object[,]
                {
                    { "breaker-open", true, new TimeSpan(0, 0, 0, 30, 0), (short)6, null, 0.0 },
                    { "incomplete-orders", true, new TimeSpan(0, 0, 1, 0, 0), (short)7, null, 1.0 }
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DeleteData(
                table: "alert_rules",
                keyColumn: "name",
                keyValue: "breaker-open");

            migrationBuilder.DeleteData(
                table: "alert_rules",
                keyColumn: "name",
                keyValue: "incomplete-orders");
        }
    }
}
