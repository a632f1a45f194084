namespace Orders.Infrastructure.Tests.Orders;

/// <summary>
/// Every row of the truth table above <see cref="OrderTables.StatusSql"/>, as the database derives it.
/// </summary>
public sealed class OrderStatusTests : SystemFixture
{
    private const int Required = 0b11;

    [Test]
    public async Task The_status_follows_from_the_steps(
        [Values] bool failed,
        [Values] bool cancelled,
        [Values] bool rejected,
        [Values(0b00, 0b01, 0b11)] int done
    )
    {
        var rows = await TestSystem.Database.RowsAsync(
            """
            insert into order_progress (order_id, required, done, failed, cancelled_at, rejected_at)
            values (gen_random_uuid(), $1, $2, $3, case when $4 then now() end, case when $5 then now() end)
                returning status
            """,
            Required,
            done,
            failed ? 1 : 0,
            cancelled,
            rejected
        );

        Assert.That((OrderStatus)(short)rows[0][0]!, Is.EqualTo(Expected(failed, cancelled, rejected, done)));
    }

    private static OrderStatus Expected(bool failed, bool cancelled, bool rejected, int done) =>
        (failed, cancelled, rejected, done) switch
        {
            (true, _, _, _) => OrderStatus.NeedsAttention,
            (_, true, _, _) => OrderStatus.Cancelled,
            (_, _, true, _) => OrderStatus.Rejected,
            (_, _, _, Required) => OrderStatus.Completed,
            (_, _, _, not 0) => OrderStatus.Processing,
            _ => OrderStatus.Accepted,
        };
}
