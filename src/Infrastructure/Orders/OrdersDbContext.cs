using Microsoft.EntityFrameworkCore;
using Orders.Infrastructure.Webhooks;
using QueueWorkers;
using QueueWorkers.DeadLetters;
using QueueWorkers.FlowControl;
using QueueWorkers.FlowControl.CircuitBreakers;
using QueueWorkers.FlowControl.Workers;
using QueueWorkers.Idempotency;
using QueueWorkers.Monitoring;
using QueueWorkers.Monitoring.Alerts;
using QueueWorkers.Monitoring.History;
using QueueWorkers.Operators;
using QueueWorkers.Operators.Keys;
using QueueWorkers.Outbox;
using QueueWorkers.Redrive;
using QueueWorkers.Steps;

namespace Orders.Infrastructure;

/// <summary>
/// Everything that is stored. Reads go through it, and so does any code that wants to publish in its own transaction:
/// messages published through the scoped
/// <c>IPublishEndpoint</c> become rows of this context. The two hot paths (posting an order, committing a step) write
/// the same tables set by set, without a change tracker.
/// </summary>
public sealed class OrdersDbContext(DbContextOptions<OrdersDbContext> options) : DbContext(options)
{
    /// <summary>Orders.</summary>
    public DbSet<Order> Orders => Set<Order>();

    /// <summary>Lines of orders.</summary>
    public DbSet<OrderLine> OrderLines => Set<OrderLine>();

    /// <summary>Where orders stand.</summary>
    public DbSet<OrderProgress> OrderProgress => Set<OrderProgress>();

    /// <summary>Steps of orders.</summary>
    public DbSet<StepRecord> StepRuns => Set<StepRecord>();

    /// <summary>Attempts of steps that failed.</summary>
    public DbSet<StepAttempt> StepAttempts => Set<StepAttempt>();

    /// <summary>Which steps exist.</summary>
    public DbSet<CatalogueEntry> StepCatalogue => Set<CatalogueEntry>();

    /// <summary>Effects.</summary>
    public DbSet<Effect> Effects => Set<Effect>();

    /// <summary>Messages under way to the broker.</summary>
    public DbSet<OutboxMessage> Outbox => Set<OutboxMessage>();

    /// <summary>Articles.</summary>
    public DbSet<CatalogueItem> Catalogue => Set<CatalogueItem>();

    /// <summary>Stock.</summary>
    public DbSet<StockItem> Stock => Set<StockItem>();

    /// <summary>Changes of stock.</summary>
    public DbSet<StockMovement> StockMovements => Set<StockMovement>();

    /// <summary>What rejected orders were rejected for.</summary>
    public DbSet<OrderShortage> OrderShortages => Set<OrderShortage>();

    /// <summary>Invoices.</summary>
    public DbSet<Invoice> Invoices => Set<Invoice>();

    /// <summary>Clients' keys.</summary>
    public DbSet<ApiKey> ApiKeys => Set<ApiKey>();

    /// <summary>Clients' web hooks.</summary>
    public DbSet<Webhook> Webhooks => Set<Webhook>();

    /// <summary>Events for web hooks.</summary>
    public DbSet<WebhookDelivery> WebhookDeliveries => Set<WebhookDelivery>();

    /// <summary>Browsers that operators are logged in with.</summary>
    public DbSet<OperatorSession> OperatorSessions => Set<OperatorSession>();

    /// <summary>How steps did, minute by minute and hour by hour.</summary>
    public DbSet<StepPeriod> StepHistory => Set<StepPeriod>();

    /// <summary>When alerts are raised.</summary>
    public DbSet<AlertRule> AlertRules => Set<AlertRule>();

    /// <summary>Alerts.</summary>
    public DbSet<Alert> Alerts => Set<Alert>();

    /// <summary>Operators.</summary>
    public DbSet<OperatorAccount> Operators => Set<OperatorAccount>();

    /// <summary>Keys of operators.</summary>
    public DbSet<OperatorKeyRecord> OperatorKeys => Set<OperatorKeyRecord>();

    /// <summary>Failed messages.</summary>
    public DbSet<Failure> Failures => Set<Failure>();

    /// <summary>Redrives.</summary>
    public DbSet<RedriveRecord> Redrives => Set<RedriveRecord>();

    /// <summary>Messages of redrives.</summary>
    public DbSet<RedriveItem> RedriveItems => Set<RedriveItem>();

    /// <summary>What operators did.</summary>
    public DbSet<AuditEntry> Audit => Set<AuditEntry>();

    /// <summary>What operators have set for steps.</summary>
    public DbSet<StepControl> StepControls => Set<StepControl>();

    /// <summary>Worker processes.</summary>
    public DbSet<Worker> Workers => Set<Worker>();

    /// <summary>Breakers of dependencies.</summary>
    public DbSet<Breaker> Breakers => Set<Breaker>();

    /// <inheritdoc />
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasSequence<long>("order_number");
        modelBuilder.UseQueueWorkers();
        modelBuilder.ApplyConfigurationsFromAssembly(typeof(OrdersDbContext).Assembly);
    }
}
