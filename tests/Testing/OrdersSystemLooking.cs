using Orders.Infrastructure;
using QueueWorkers.Idempotency;
using QueueWorkers.Steps;

namespace Orders.Testing;

/// <summary>What tests look at in an installation.</summary>
public static class OrdersSystemLooking
{
    /// <summary>Where a step of a subject stands; Waiting when there is no row yet.</summary>
    public static async Task<StepStatus> StatusAsync(this OrdersSystem system, Guid subject, string step) =>
        (StepStatus)
            await system.Database.ScalarAsync<short>(
                "select coalesce((select status from step_runs where subject_id = $1 and step = $2), 0)",
                subject,
                step
            );

    /// <summary>Attempts of a step of a subject.</summary>
    public static Task<int> AttemptsAsync(this OrdersSystem system, Guid subject, string step) =>
        system.Database.ScalarAsync<int>(
            "select coalesce((select attempts from step_runs where subject_id = $1 and step = $2), 0)",
            subject,
            step
        );

    /// <summary>The last fault of a step of a subject; empty when none failed.</summary>
    public static Task<string> LastFaultAsync(this OrdersSystem system, Guid subject, string step) =>
        system.Database.ScalarAsync<string>(
            "select coalesce((select last_fault from step_runs where subject_id = $1 and step = $2), '')",
            subject,
            step
        );

    /// <summary>Effects of a subject that are done.</summary>
    public static Task<long> EffectsAsync(this OrdersSystem system, Guid subject) =>
        system.Database.CountAsync("effects where subject_id = $1 and state = $2", subject, (short)EffectState.Done);

    /// <summary>Where an order stands.</summary>
    public static async Task<OrderStatus> OrderStatusAsync(this OrdersSystem system, Guid order) =>
        (OrderStatus)
            await system.Database.ScalarAsync<short>("select status from order_progress where order_id = $1", order);

    /// <summary>Waits until a step of a subject stands somewhere.</summary>
    public static Task UntilAsync(
        this OrdersSystem system,
        Guid subject,
        string step,
        StepStatus status,
        TimeSpan? within = null
    ) =>
        Eventually.That(
            () => system.StatusAsync(subject, step),
            Is.EqualTo(status),
            $"status of step '{step}'",
            within
        );

    /// <summary>Waits until an order stands somewhere.</summary>
    public static Task UntilAsync(this OrdersSystem system, Guid order, OrderStatus status, TimeSpan? within = null) =>
        Eventually.That(() => system.OrderStatusAsync(order), Is.EqualTo(status), "status of the order", within);

    /// <summary>Waits until the outbox holds nothing but quarantined rows.</summary>
    public static Task UntilOutboxIsEmptyAsync(this OrdersSystem system, TimeSpan? within = null) =>
        Eventually.That(
            () => system.Database.CountAsync("outbox where dead_at is null"),
            Is.Zero,
            "rows in the outbox",
            within
        );

    /// <summary>Makes every delayed message due now: hours of redelivery pass in milliseconds.</summary>
    public static Task FastForwardAsync(this OrdersSystem system) =>
        system.Database.ExecuteAsync(
            "update outbox set due_at = now() where dead_at is null and due_at > now() + interval '100 milliseconds'"
        );

    /// <summary>Looks as <see cref="Eventually"/> does, and lets the time of delayed messages pass meanwhile.</summary>
    public static Task<T> EventuallyFastForwardingAsync<T>(
        this OrdersSystem system,
        Func<Task<T>> look,
        NUnit.Framework.Constraints.IResolveConstraint constraint,
        string what,
        TimeSpan? within = null
    ) =>
        Eventually.That(
            async () =>
            {
                await system.FastForwardAsync();
                return await look();
            },
            constraint,
            what,
            within
        );
}
