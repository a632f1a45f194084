using Microsoft.EntityFrameworkCore;

namespace QueueWorkers.Steps.Writing;

/// <summary>
/// Rows of the application that a step wants written in its commit, through its context. Needs no
/// <see cref="IStepWriter"/> of its own; a step with thousands of runs a second is faster with one.
/// </summary>
/// <typeparam name="TContext">The application's context.</typeparam>
/// <param name="change">Changes what the context tracks. Saved by the framework, together with the changes of other
/// runs; called again when their common commit fails. Must not call the outside world.</param>
/// <example>
/// <code>
/// context.Step().Write = new ContextWrite&lt;ParcelsDb&gt;(async db =>
/// {
///     var parcel = await db.Parcels.SingleAsync(p => p.Id == context.Message.ParcelId);
///     parcel.TrackingNumber = number;
/// });
/// </code>
/// </example>
public sealed class ContextWrite<TContext>(Func<TContext, Task> change) : IStepWrite
    where TContext : DbContext
{
    /// <summary>The same for a change that reads nothing.</summary>
    /// <param name="change">Changes what the context tracks.</param>
    public ContextWrite(Action<TContext> change)
        : this(context =>
        {
            change(context);
            return Task.CompletedTask;
        }) { }

    internal Task ApplyAsync(TContext context) => change(context);
}
