using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace QueueWorkers;

/// <summary>The framework's tables in an application's context.</summary>
public static class QueueWorkersModel
{
    /// <summary>
    /// Adds all of them. The application's migrations then create them. Their columns are named in snake case, whatever
    /// the application's own tables do: the framework's SQL says <c>due_at</c>.
    /// </summary>
    /// <example>
    /// <code>
    /// protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.UseQueueWorkers();
    /// </code>
    /// </example>
    public static ModelBuilder UseQueueWorkers(this ModelBuilder modelBuilder)
    {
        var framework = typeof(QueueWorkersModel).Assembly;
        modelBuilder.ApplyConfigurationsFromAssembly(framework);
        foreach (
            var property in modelBuilder
                .Model.GetEntityTypes()
                .Where(entity => entity.ClrType.Assembly == framework)
                .SelectMany(entity => entity.GetDeclaredProperties())
        )
        {
            if (((IConventionProperty)property).GetColumnNameConfigurationSource() is not ConfigurationSource.Explicit)
                property.SetColumnName(JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name));
        }

        return modelBuilder;
    }
}
