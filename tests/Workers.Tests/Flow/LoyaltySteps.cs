using MassTransit;
using Npgsql;
using Orders.Contracts;
using QueueWorkers.Steps;

namespace Orders.Workers.Tests.Flow;

/// <summary>A fifth step in its first version, which reads the stock.</summary>
public sealed class LoyaltyStep(NpgsqlDataSource database) : IConsumer<OrderAccepted>, IStep
{
    public static StepPolicy Policy => new("loyalty") { Grants = ["select on stock"] };

    public async Task Consume(ConsumeContext<OrderAccepted> context)
    {
        await using var command = database.CreateCommand("select sku from stock limit 1");
        await command.ExecuteScalarAsync(context.CancellationToken);
    }
}

/// <summary>The same step in its second version: it reads the catalogue, and needs no stock any more.</summary>
public sealed class NewLoyaltyStep(NpgsqlDataSource database) : IConsumer<OrderAccepted>, IStep
{
    public static StepPolicy Policy => new("loyalty") { Grants = ["select on catalogue"] };

    public async Task Consume(ConsumeContext<OrderAccepted> context)
    {
        await using var command = database.CreateCommand("select sku from catalogue limit 1");
        await command.ExecuteScalarAsync(context.CancellationToken);
    }
}

/// <summary>A step that only the first version has.</summary>
public sealed class StampStep : IConsumer<OrderAccepted>, IStep
{
    public static StepPolicy Policy => new("stamp");

    public Task Consume(ConsumeContext<OrderAccepted> context) => Task.CompletedTask;
}

/// <summary>A step that only the second version has.</summary>
public sealed class GiftStep : IConsumer<OrderAccepted>, IStep
{
    public static StepPolicy Policy => new("gift");

    public Task Consume(ConsumeContext<OrderAccepted> context) => Task.CompletedTask;
}
