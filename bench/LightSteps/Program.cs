// Orders' own workers with light effects: every row, message, confirm and commit of the real ones, through the same
// framework code; only mail, PDF and webhook are left out.
using Orders.Bench.LightSteps;
using Orders.Contracts;
using Orders.Infrastructure;
using Orders.Infrastructure.Deployment;
using Orders.Infrastructure.Inventory;
using QueueWorkers;
using QueueWorkers.Hosting;
using QueueWorkers.Steps;

var catalogue = new StepCatalogue()
    .Add<LightEmail>()
    .Add<LightInventory>((services, _) => services.AddSingleton<IStepWriter, ReserveStockWriter>())
    .Add<LightInvoice>()
    .Add<LightWarehouse>()
    .PublishesEvent<OrderCompleted>()
    .PublishesEvent<OrderRejected>();

return await StartUp.RunAsync(
    args,
    command =>
        command switch
        {
            "run" => RunAsync,
            "relay" => RelayAsync,
            "deploy" => rest =>
                DeployCommand.RunAsync(
                    new ConfigurationBuilder().AddEnvironmentVariables().AddCommandLine(rest).Build(),
                    catalogue,
                    logging => logging.AddConsole().SetMinimumLevel(LogLevel.Warning),
                    CancellationToken.None
                ),
            _ => null,
        }
);

async Task RelayAsync(string[] rest)
{
    var builder = WebApplication.CreateBuilder(rest);
    builder.AddWorkerHost("orders-bench-relay");
    builder.Services.AddOrdersStore(builder.Configuration);
    builder.Services.AddRelay(builder.Configuration);
    var app = builder.Build();
    app.MapWorkerHost();
    await app.RunAsync();
}

async Task RunAsync(string[] rest)
{
    var builder = WebApplication.CreateBuilder(rest);
    builder.AddWorkerHost("orders-bench");
    builder.Services.AddOrdersStore(builder.Configuration);
    builder.Services.AddRelay(builder.Configuration);
    builder.Services.AddSteps<OrdersDbContext>(
        builder.Configuration,
        catalogue.Choose(builder.Configuration["Workers:Steps"] ?? "*")
    );
    var app = builder.Build();
    app.MapWorkerHost();
    await app.RunAsync();
}
