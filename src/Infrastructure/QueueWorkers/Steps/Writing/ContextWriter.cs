using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Steps.Writing;

/// <summary>Saves the changes of many runs at once, inside their commit.</summary>
/// <param name="services">What the context's constructor asks for besides its options.</param>
/// <param name="configure">Configures the context beyond its database; null for nothing.</param>
internal sealed class ContextWriter<TContext>(IServiceProvider services, Action<DbContextOptionsBuilder>? configure)
    : StepWriter<ContextWrite<TContext>>
    where TContext : DbContext
{
    /// <summary>Behind the writers that lock rows in an order of their own.</summary>
    public override int LockOrder => int.MaxValue;

    /// <inheritdoc />
    protected override async Task WriteAsync(
        NpgsqlConnection connection,
        IReadOnlyList<(StepRun Run, ContextWrite<TContext> Write)> runs
    )
    {
        var options = new DbContextOptionsBuilder<TContext>().UseNpgsql(connection);
        configure?.Invoke(options);
        await using var context = ActivatorUtilities.CreateInstance<TContext>(services, options.Options);
        // The commit's transaction was begun by a statement of its own, which EF Core knows nothing of.
        context.Database.AutoTransactionBehavior = AutoTransactionBehavior.Never;
        foreach (var (_, write) in runs)
            await write.ApplyAsync(context);
        await context.SaveChangesAsync();
    }
}
