module tributary/bff

go 1.26.0

require (
	github.com/danielgtaylor/huma/v2 v2.37.2
	github.com/go-json-experiment/json v1.27.2
	github.com/golang-jwt/jwt/v5 v5.3.1
	github.com/google/uuid v1.6.0
	tributary/platform v0.0.0
)

replace (
	tributary/contracts => ../contracts
	tributary/platform => ../platform
)
