using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace Orders.Infrastructure;

/// <summary>Lets <c>dotnet ef migrations add</c> build the context without a host; it never connects.</summary>
public sealed class OrdersDbContextDesign : IDesignTimeDbContextFactory<OrdersDbContext>
{
    /// <inheritdoc />
    public OrdersDbContext CreateDbContext(string[] args) =>
        new(
            new DbContextOptionsBuilder<OrdersDbContext>()
                .UseNpgsql("Host=localhost")
                .UseSnakeCaseNamingConvention()
                .Options
        );
}
