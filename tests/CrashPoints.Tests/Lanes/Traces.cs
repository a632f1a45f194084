using Orders.Infrastructure;
using Orders.OutsideWorld.Mails;
using QueueWorkers.Idempotency;
using QueueWorkers.Steps;

namespace Orders.CrashPoints.Tests.Lanes;

/// <summary>What an order has left behind, in the database and in the ledgers of the outside world.</summary>
/// <param name="Orders">Orders of its customer.</param>
/// <param name="Status">Its status.</param>
/// <param name="StepsDone">Steps that ended well, or as rejected.</param>
/// <param name="StepsCancelled">Steps that were left out.</param>
/// <param name="Mails">Mails that the mail server accepted for its customer.</param>
/// <param name="PickLists">Pick lists that the warehouse accepted.</param>
/// <param name="Recalls">Recalls of it that the warehouse accepted.</param>
/// <param name="Movements">Stock movements.</param>
/// <param name="Invoices">Invoices with their document.</param>
/// <param name="CreditNotes">Credit notes with their document.</param>
/// <param name="Effects">Effects recorded as done.</param>
internal sealed record Traces(
    long Orders,
    OrderStatus Status,
    long StepsDone,
    long StepsCancelled,
    int Mails,
    int PickLists,
    int Recalls,
    long Movements,
    long Invoices,
    long CreditNotes,
    long Effects
)
{
    /// <summary>
    /// One of each; for a rejected order a confirmation and an apology. For a cancelled one, whose warehouse step was
    /// not done, each of the others and what undoes it:
    /// a mail that says so, the stock given back, a credit note; and a recall, because the warehouse may have a pick
    /// list whose answer was lost.
    /// </summary>
    public static Traces ExpectedOf(PostedOrder order) =>
        order switch
        {
            { IsRejected: true } => new Traces(
                1,
                OrderStatus.Rejected,
                StepsDone: 2,
                StepsCancelled: 0,
                Mails: 2,
                PickLists: 0,
                Recalls: 0,
                Movements: 0,
                Invoices: 0,
                CreditNotes: 0,
                Effects: 3
            ),
            { IsCancelled: true } => new Traces(
                1,
                OrderStatus.Cancelled,
                StepsDone: 3,
                StepsCancelled: 1,
                Mails: 2,
                PickLists: 0,
                Recalls: 1,
                Movements: 4,
                Invoices: 1,
                CreditNotes: 1,
                Effects: 7
            ),
            _ => new Traces(
                1,
                OrderStatus.Completed,
                StepsDone: 4,
                StepsCancelled: 0,
                Mails: 1,
                PickLists: 1,
                Recalls: 0,
                Movements: 2,
                Invoices: 1,
                CreditNotes: 0,
                Effects: 4
            ),
        };

    /// <summary>Looks.</summary>
    public static async Task<Traces> OfAsync(Lane lane, PostedOrder order)
    {
        var row = (
            await lane.TestSystem.Database.RowsAsync(
                $"""
                select (select count(*) from orders where customer_email = $2),
                    (select status from order_progress where order_id = $1),
                    (select count(*) from step_runs where subject_id = $1 and status in ({StepStatus.Done:D}, {StepStatus.Rejected:D})),
                        (select count(*) from stock_movements where order_id = $1),
                    (select count(*) from invoices where order_id = $1 and sha256 = sha256(pdf)),
                        (select count(*) from effects where subject_id = $1 and state = {EffectState.Done:D}),
                    (select count(*) from step_runs where subject_id = $1 and status = {StepStatus.Cancelled:D}),
                        (select count(*) from credit_notes where order_id = $1 and sha256 = sha256(pdf))
                """,
                order.Id,
                order.Mail
            )
        ).Single();
        var calls = lane.World.Warehouse.Of(order.Id.ToString()).Where(c => c.IsAccepted).ToArray();
        return new Traces(
            (long)row[0]!,
            (OrderStatus)(short)(row[1] ?? (short)0),
            (long)row[2]!,
            (long)row[6]!,
            lane.World.Mails.Find(new MailQuery { To = order.Mail }).Count,
            calls.Count(c => !c.IsRecall),
            calls.Count(c => c.IsRecall),
            (long)row[3]!,
            (long)row[4]!,
            (long)row[7]!,
            (long)row[5]!
        );
    }
}
