using Orders.Infrastructure.Orders;
using Orders.OutsideWorld.Mails;

namespace Orders.CrashPoints.Tests.Lanes;

/// <summary>What an order has left behind, in the database and in the ledgers of the outside world.</summary>
/// <param name="Orders">Orders of its customer.</param>
/// <param name="Status">Its status.</param>
/// <param name="StepsDone">Steps that ended well, or as rejected.</param>
/// <param name="Mails">Mails that the mail server accepted for its customer.</param>
/// <param name="PickLists">Pick lists that the warehouse accepted.</param>
/// <param name="Movements">Stock movements.</param>
/// <param name="Invoices">Invoices with their document.</param>
/// <param name="Effects">Effects recorded as done.</param>
internal sealed record Traces(long Orders, OrderStatus Status, long StepsDone, int Mails, int PickLists, long Movements, long Invoices, long Effects)
{
    /// <summary>One of each; for a rejected order a confirmation and an apology.</summary>
    public static Traces ExpectedOf(PostedOrder order) => order.IsRejected
        ? new Traces(1, OrderStatus.Rejected, StepsDone: 2, Mails: 2, PickLists: 0, Movements: 0, Invoices: 0, Effects: 3)
        : new Traces(1, OrderStatus.Completed, StepsDone: 4, Mails: 1, PickLists: 1, Movements: 2, Invoices: 1, Effects: 4);

    /// <summary>Looks.</summary>
    public static async Task<Traces> OfAsync(Lane lane, PostedOrder order)
    {
        var row = (await lane.System.Database.RowsAsync("""
            select (select count(*) from orders where customer_email = $2), (select status from order_progress where order_id = $1),
                (select count(*) from step_runs where subject_id = $1 and status in (2, 7)), (select count(*) from stock_movements where order_id = $1),
                (select count(*) from invoices where order_id = $1 and sha256 = sha256(pdf)), (select count(*) from effects where subject_id = $1 and state = 2)
            """, order.Id, order.Mail)).Single();
        return new Traces(
            (long)row[0]!, (OrderStatus)(short)(row[1] ?? (short)0), (long)row[2]!,
            lane.World.Mails.Find(new MailQuery { To = order.Mail }).Count, lane.World.Warehouse.Of(order.Id.ToString()).Count(c => c.IsAccepted),
            (long)row[3]!, (long)row[4]!, (long)row[5]!);
    }
}
