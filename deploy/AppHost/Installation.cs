namespace Orders.AppHost;

/// <summary>
/// The services of docker-compose.yml as resources of Aspire: the hosts as projects, so that a debugger finds their
/// sources, RabbitMQ and PostgreSQL as containers. Servers begin empty at each start.
/// </summary>
/// <param name="builder">What they are added to.</param>
/// <param name="services">The services.</param>
internal sealed class Installation(IDistributedApplicationBuilder builder, IReadOnlyList<ComposeService> services)
{
    private const string Http = "http";
    private const string Smtp = "smtp";

    // The port that a server's own client takes first.
    private const int PostgresPort = 5432;
    private const int AmqpPort = 5672;
    private const int ManagementPort = 15672;
    private const int HostPort = 8080;

    // Our images are called PROJECT-NAME.
    private static readonly string[] Images = ["api", "dashboard", "workers", "outside-world"];

    private readonly Addresses _addresses = new();
    private readonly Dictionary<string, IResourceBuilder<IResource>> _resources = [];

    /// <summary>Adds all services.</summary>
    /// <exception cref="ComposeException">A service is none that is known here.</exception>
    public void Add()
    {
        foreach (var service in services)
            _resources[service.Name] = AddOne(service);
        foreach (var service in services)
            WaitForOthers(service);
    }

    private IResourceBuilder<IResource> AddOne(ComposeService service) =>
        (service.Name, ImageOf(service)) switch
        {
            ("postgres", _) => AddPostgres(service),
            ("rabbitmq", _) => AddRabbitMq(service),
            (_, "api") => AddHost<Projects.Producer_Api>(service),
            (_, "dashboard") => AddHost<Projects.Dashboard>(service),
            (_, "workers") => AddHost<Projects.Workers>(service),
            (_, "outside-world") => AddOutsideWorld(service),
            _ => throw new ComposeException(
                $"docker-compose.yml has the service '{service.Name}' of the image {service.Image}, which is none of ours. Add it to deploy/AppHost/Installation.cs."
            ),
        };

    private static string? ImageOf(ComposeService service) =>
        Images.FirstOrDefault(name => service.Image.EndsWith($"-{name}", StringComparison.Ordinal));

    private IResourceBuilder<IResource> AddPostgres(ComposeService service)
    {
        var server = builder.AddPostgres(
            service.Name,
            Parameter(service, "POSTGRES_USER"),
            Parameter(service, "POSTGRES_PASSWORD")
        );
        _addresses.Add(service.Name, PostgresPort, server.GetEndpoint(server.Resource.PrimaryEndpoint.EndpointName));
        return AsContainer(server, service);
    }

    private IResourceBuilder<IResource> AddRabbitMq(ComposeService service)
    {
        var server = builder
            .AddRabbitMQ(
                service.Name,
                Parameter(service, "RABBITMQ_DEFAULT_USER"),
                Parameter(service, "RABBITMQ_DEFAULT_PASS")
            )
            .WithHttpEndpoint(Published(service, ManagementPort), ManagementPort, "management");
        _addresses.Add(service.Name, AmqpPort, server.GetEndpoint(server.Resource.PrimaryEndpoint.EndpointName));
        _addresses.Add(service.Name, ManagementPort, server.GetEndpoint("management"));
        return AsContainer(server, service);
    }

    // Image, arguments, environment and files of compose. No volume: with data of an older build, deploy would refuse
    // to go on at the next change of the model.
    private static IResourceBuilder<T> AsContainer<T>(IResourceBuilder<T> server, ComposeService service)
        where T : ContainerResource
    {
        var image = service.Image.Split(':');
        server.WithImage(image[0], image[1]).WithImageRegistry(null).WithArgs(service.Command);
        foreach (var (name, value) in service.Environment)
            server.WithEnvironment(name, value);
        foreach (var (path, source) in service.Files)
            server.WithBindMount(source, path, isReadOnly: true);
        if (service.SharedMemory is { } size)
            server.WithContainerRuntimeArgs("--shm-size", size);
        return server;
    }

    private IResourceBuilder<IResource> AddOutsideWorld(ComposeService service)
    {
        const string Port = "OutsideWorld__SmtpPort";
        var world = AddHost<Projects.OutsideWorld>(service, Port);
        world.WithEndpoint(name: Smtp, scheme: Smtp, env: Port);
        _addresses.Add(service.Name, int.Parse(service.Environment[Port], null), world.GetEndpoint(Smtp));
        return world;
    }

    private IResourceBuilder<ProjectResource> AddHost<T>(ComposeService service, string? chosenHere = null)
        where T : IProjectMetadata, new()
    {
        // Of a command only its name: the rest says where a container listens.
        var host = builder.AddProject<T>(service.Name).WithArgs([.. service.Command.Take(1)]).DisableForwardedHeaders();
        var environment = service
            .Environment.Where(v => v.Key != chosenHere && IsMeantFor(service, v.Key, v.Value))
            .ToDictionary(v => v.Key, v => InsideToHere(service, v.Value));
        host.WithEnvironment(context =>
        {
            foreach (var (name, value) in _addresses.Here(environment))
                context.EnvironmentVariables[name] = value;
        });
        // A command that ends serves nothing.
        if (services.Any(other => other.Waits.Any(w => w.ToItsEnd && w.Service == service.Name)))
            return host;
        var port = service.Published.Keys.FirstOrDefault(HostPort);
        host.WithHttpEndpoint(Published(service, port), name: Http).WithHttpHealthCheck("/health/ready");
        _addresses.Add(service.Name, port, host.GetEndpoint(Http));
        return host;
    }

    // Where it listens and where telemetry goes is for Aspire to say. What a container keeps in a volume is kept in
    // memory here.
    private static bool IsMeantFor(ComposeService service, string name, string value) =>
        !name.StartsWith("ASPNETCORE_", StringComparison.Ordinal)
        && !name.StartsWith("OTEL_", StringComparison.Ordinal)
        && !service.DataFolders.Contains(value);

    private static string InsideToHere(ComposeService service, string value) =>
        service.Files.FirstOrDefault(f => value.StartsWith($"{f.Key}/", StringComparison.Ordinal))
            is { Key: { } inside } file
            ? file.Value + value[inside.Length..]
            : value;

    private void WaitForOthers(ComposeService service)
    {
        if (_resources[service.Name] is not IResourceBuilder<IResourceWithWaitSupport> resource)
            return;
        foreach (var (other, toItsEnd) in service.Waits)
        {
            if (toItsEnd)
                resource.WaitForCompletion(_resources[other]);
            else
                resource.WaitFor(_resources[other]);
        }
    }

    private static int? Published(ComposeService service, int port) =>
        service.Published.TryGetValue(port, out var published) ? published : null;

    private IResourceBuilder<ParameterResource> Parameter(ComposeService service, string variable) =>
        builder.AddParameter(
            variable.ToLowerInvariant().Replace('_', '-'),
            service.Environment[variable],
            secret: true
        );
}
