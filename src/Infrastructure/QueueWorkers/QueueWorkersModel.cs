using Microsoft.EntityFrameworkCore;

namespace QueueWorkers;

/// <summary>The framework's tables in an application's context.</summary>
public static class QueueWorkersModel
{
    /// <summary>Adds all of them. The application's migrations then create them.</summary>
    public static ModelBuilder UseQueueWorkers(this ModelBuilder modelBuilder) =>
        modelBuilder.ApplyConfigurationsFromAssembly(typeof(QueueWorkersModel).Assembly);
}
