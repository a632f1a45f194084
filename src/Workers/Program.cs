using Orders.Infrastructure;
using Orders.Infrastructure.Deployment;
using Orders.Workers;
using QueueWorkers;
using QueueWorkers.Hosting;
using QueueWorkers.Hosting.Secrets;
using QueueWorkers.Steps.Endpoints;

return await StartUp.RunAsync(
    args,
    command =>
        command switch
        {
            "run" => arguments => WorkersApplication.Build(arguments).RunAsync(),
            "deploy" => DeployAsync,
            "describe" => DescribeAsync,
            _ => null,
        },
    OrdersSettings.Known
);

// Database, roles, broker: once per version, before the hosts start.
static Task DeployAsync(string[] args)
{
    var configuration = new ConfigurationManager();
    configuration.AddEnvironmentVariables().AddCommandLine(args);
    var problems = new ConfigurationProblems().Collect(() => configuration.AddSecretFiles(OrdersSettings.Known));
    // As the hosts decide it.
    var environment =
        Environment.GetEnvironmentVariable("ASPNETCORE_ENVIRONMENT")
        ?? Environment.GetEnvironmentVariable("DOTNET_ENVIRONMENT");
    if (environment != Environments.Development)
        problems.Collect(() => configuration.RefuseWeakSecrets(OrdersSettings.Known));
    return DeployCommand.RunAsync(
        configuration,
        Steps.Catalogue,
        QueueWorkersDeployment.ToConsole,
        CancellationToken.None,
        Schedules.Catalogue,
        problems
    );
}

// What this version is made of, for people and for the checks of the docs.
static Task DescribeAsync(string[] args)
{
    Console.WriteLine(Description.Of(Steps.Catalogue));
    return Task.CompletedTask;
}
